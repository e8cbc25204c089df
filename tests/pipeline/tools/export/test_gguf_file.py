"""A model as a GGUF, read as llama.cpp's own tools read it."""

import pytest
from sentencepiece import SentencePieceProcessor
from transformers import AutoModelForCausalLM

from corpora.errors import UserError
from pipeline.cli_options import Format, Quant
from pipeline.tools.export import export
from tests.conftest import call_pipeline
from tests.pipeline.tools.export.saved import VOCABULARY, save

pytestmark = pytest.mark.extras


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save(tmp_path_factory.mktemp("gguf"))


@pytest.fixture(scope="module")
def reader(folder, tmp_path_factory):
    import gguf

    path = tmp_path_factory.mktemp("exported") / "model.gguf"
    call_pipeline("export", "--model", folder, "--format", "gguf", "--out", path, folder=folder)
    return gguf.GGUFReader(path)


def read_field(reader, name):
    return reader.fields[name].contents()


def test_the_vocabulary_is_sentencepieces(folder, reader):
    processor = SentencePieceProcessor(model_file=str(folder / "sentencepiece.model"))
    pieces = read_field(reader, "tokenizer.ggml.tokens")
    assert pieces == [processor.id_to_piece(index) for index in range(VOCABULARY)]
    assert read_field(reader, "tokenizer.ggml.model") == "llama"
    assert read_field(reader, "tokenizer.ggml.add_space_prefix") is False


def test_a_text_begins_with_the_token_that_training_begins_with(reader):
    assert read_field(reader, "tokenizer.ggml.bos_token_id") == 3
    assert read_field(reader, "tokenizer.ggml.eos_token_id") == 3
    assert read_field(reader, "tokenizer.ggml.add_bos_token") is True


def test_every_weight_is_there_the_way_round_that_llama_cpp_has_it(folder, reader):
    model = AutoModelForCausalLM.from_pretrained(folder)
    tensors = {tensor.name: tensor.data for tensor in reader.tensors}
    block = model.transformer.h[1]
    wanted = {
        "token_embd.weight": model.transformer.wte.weight,
        "blk.1.attn_qkv.weight": block.attn.c_attn.weight.T,
        "blk.1.ffn_up.bias": block.mlp.c_fc.bias,
        "output_norm.weight": model.transformer.ln_f.weight,
    }
    for name, weight in wanted.items():
        assert (tensors[name] == weight.detach().numpy()).all(), name
    assert sum(data.size for data in tensors.values()) == model.num_parameters()


def test_a_head_of_its_own_goes_along(tmp_path):
    import gguf

    folder = save(tmp_path, tied_head=False)
    export(model=str(folder), format=Format.gguf, out=tmp_path / "m.gguf")
    names = [tensor.name for tensor in gguf.GGUFReader(tmp_path / "m.gguf").tensors]
    assert "output.weight" in names


def test_q8_0_holds_the_matrices_in_a_quarter_of_the_bytes(folder, reader, tmp_path):
    import gguf

    export(model=str(folder), format=Format.gguf, quant=Quant.q8_0, out=tmp_path / "small.gguf")
    small = {each.name: each for each in gguf.GGUFReader(tmp_path / "small.gguf").tensors}
    for tensor in reader.tensors:
        found = gguf.quants.dequantize(small[tensor.name].data, small[tensor.name].tensor_type)
        assert abs(found - tensor.data).max() < 0.01
    assert small["token_embd.weight"].n_bytes < 0.27 * VOCABULARY * 32 * 4


def test_rows_that_dont_fill_a_block_arent_quantised(tmp_path):
    folder = save(tmp_path, width=48)
    with pytest.raises(UserError, match=r"rows of 48 numbers.*multiple of 32: leave QUANT= out"):
        export(model=str(folder), format=Format.gguf, quant=Quant.q8_0, out=tmp_path / "m.gguf")
    assert not (tmp_path / "m.gguf").exists()


@pytest.mark.parametrize("architecture, name", [("gpt", "openai-gpt"), ("gpt3", "gpt_neo")])
def test_an_architecture_that_llama_cpp_doesnt_have_is_refused_by_name(
    tmp_path, architecture, name
):
    folder = save(tmp_path, architecture=architecture)
    with pytest.raises(UserError, match=f"a {name} model, which llama.cpp doesn't have"):
        export(model=str(folder), format=Format.gguf, out=tmp_path / "m.gguf")


def test_a_unigram_tokenizer_is_refused_by_name(tmp_path):
    folder = save(tmp_path, model_type="unigram")
    with pytest.raises(UserError, match=r"a unigram tokenizer.*tokenizer\.model_type=bpe"):
        export(model=str(folder), format=Format.gguf, out=tmp_path / "m.gguf")


def test_a_tokenizer_without_a_sentencepiece_model_is_refused(tmp_path):
    folder = save(tmp_path)
    (folder / "sentencepiece.model").unlink()
    with pytest.raises(UserError, match=r"no sentencepiece\.model in it"):
        export(model=str(folder), format=Format.gguf, out=tmp_path / "m.gguf")


def test_what_llama_cpp_computes_otherwise_is_refused(tmp_path):
    folder = save(tmp_path)
    text = (folder / "config.json").read_text().replace("gelu_new", "relu")
    (folder / "config.json").write_text(text)
    with pytest.raises(UserError, match=r"activation_function=relu: llama\.cpp computes"):
        export(model=str(folder), format=Format.gguf, out=tmp_path / "m.gguf")


def test_a_file_that_lost_something_isnt_given_its_name(folder, tmp_path, monkeypatch):
    import gguf

    monkeypatch.setattr(gguf.GGUFWriter, "add_token_scores", lambda writer, scores: None)
    with pytest.raises(KeyError):
        export(model=str(folder), format=Format.gguf, out=tmp_path / "m.gguf")
    assert not (tmp_path / "m.gguf").exists()
