"""FORMAT=gguf: a model for llama.cpp, in one file.

llama.cpp's own converter refuses the tokenizer. But llama.cpp's tokenizer of type `llama` is
SentencePiece's BPE: with the pieces, scores and types of sentencepiece.model it gives its ids."""

import importlib
import importlib.util
from pathlib import Path
from typing import Any, NamedTuple

import gguf  # pyright: ignore[reportMissingImports]  # an extra
import numpy as np
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from transformers.utils.logging import disable_progress_bar

from corpora.errors import UserError, as_user_error, require
from pipeline.cli_options import Quant
from pipeline.models.load import load_weights
from tokenizer.quality.gate import NASTY_STRINGS
from tokenizer.sentencepiece_trainer import parse_model

TRANSPOSED = ("c_attn.weight", "c_proj.weight", "c_fc.weight")
"""GPT-2's own linear layers keep their weights the other way round."""
GELU_OF_LLAMA_CPP = ("gelu_new", "gelu_pytorch_tanh", "gelu_fast")
NUM_GREEDY = 32  # tokens of a text that both have to write
NEAR_TIE = 0.01  # of logits: llama.cpp looks GELU up in a table in half precision


class Tensor(NamedTuple):
    """A weight as it is written."""

    data: np.ndarray  # quantised: bytes
    kind: gguf.GGMLQuantizationType


class Vocabulary(NamedTuple):
    """A piece a token, in the order of their ids."""

    pieces: list[str]
    scores: list[float]
    types: list[int]  # SentencePiece's and GGUF's numbers are the same
    unknown: int


def write_gguf(source: Path, path: Path, quant: Quant) -> str:
    """Write a model's folder as a GGUF file; returns what was checked.

    Raises UserError for a model or a tokenizer that llama.cpp doesn't have, and for a file that
    doesn't hold what was written.
    """
    disable_progress_bar()
    with as_user_error(f"{source}: can't be loaded"):
        config = AutoConfig.from_pretrained(source, local_files_only=True)
    require_known(source, config)
    vocabulary = read_vocabulary(source, config.vocab_size)
    model = load_weights(AutoModelForCausalLM, source, str(source), config)
    tensors = read_tensors(model, quant)
    with as_user_error(f"{path}: can't be written", kinds=OSError):
        write_file(path, config, vocabulary, tensors, quant)
    check_file(path, vocabulary, tensors)
    num_read = f"read again: {len(tensors)} tensors and {len(vocabulary.pieces)} pieces equal"
    if importlib.util.find_spec("llama_cpp") is None:
        return f"{num_read}; llama-cpp-python isn't installed, so it wasn't run"
    return f"{num_read}; {check_in_llama_cpp(path, source, model, quant)}"


def require_known(source: Path, config: Any) -> None:
    """Raise UserError for a model that llama.cpp doesn't have, or would compute differently."""
    require(
        config.model_type == "gpt2",
        f"{source}: a {config.model_type} model, which llama.cpp doesn't have: of the GPTs here "
        "only gpt2 can be a GGUF.",
    )
    differing = {
        "activation_function": config.activation_function not in GELU_OF_LLAMA_CPP,
        "scale_attn_weights": not config.scale_attn_weights,
        "scale_attn_by_inverse_layer_idx": config.scale_attn_by_inverse_layer_idx,
    }
    for name, differs in differing.items():
        value = getattr(config, name)
        require(not differs, f"{source}: {name}={value}: llama.cpp computes a GPT-2 without it.")


def read_vocabulary(source: Path, vocab_size: int) -> Vocabulary:
    """Read sentencepiece.model, and fill up to the model's size with unused pieces.

    Raises UserError where there is none, or another kind than BPE.
    """
    path = source / "sentencepiece.model"
    require(
        path.is_file(),
        f"{source}: no sentencepiece.model in it. llama.cpp can read only tokenizers that were "
        "trained here (or adopted from a model that was): no other GGUF has the same ids.",
    )
    with as_user_error(f"{path}: can't be read"):
        proto = parse_model(path.read_bytes())
    require(
        proto.trainer_spec.model_type == proto.trainer_spec.BPE,
        f"{path}: a unigram tokenizer, whose ids llama.cpp doesn't reproduce: train one with "
        "tokenizer.model_type=bpe.",
    )
    pieces = [piece.piece for piece in proto.pieces]
    scores = [piece.score for piece in proto.pieces]
    types = [piece.type for piece in proto.pieces]
    num_unused = vocab_size - len(pieces)
    unused = [f"[UNUSED{number}]" for number in range(num_unused)]
    return Vocabulary(
        pieces + unused,
        scores + [0.0] * num_unused,
        types + [int(gguf.TokenType.UNUSED)] * num_unused,
        proto.trainer_spec.unk_id,
    )


def read_tensors(model: Any, quant: Quant) -> dict[str, Tensor]:
    """The weights by GGUF's names.

    Raises UserError for a width that can't be quantised.
    """
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.GPT2, model.config.n_layer)
    weights = dict(model.state_dict())
    if model.config.tie_word_embeddings:
        del weights["lm_head.weight"]
    tensors: dict[str, Tensor] = {}
    for name, weight in weights.items():
        found = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if found is None:
            raise UserError(f"{name}: a weight that llama.cpp's GPT-2 doesn't have.")
        data = weight.T if name.endswith(TRANSPOSED) else weight
        tensors[found] = quantise(found, data.contiguous().numpy(), quant)
    return tensors


def quantise(name: str, data: np.ndarray, quant: Quant) -> Tensor:
    """One tensor as it is written: matrices in the asked precision, all else in fp32."""
    is_matrix = data.ndim == 2 and not name.startswith("position_embd")
    if quant is Quant.none or not is_matrix:
        return Tensor(data, gguf.GGMLQuantizationType.F32)
    kind = gguf.GGMLQuantizationType[quant.name.upper()]
    block, _ = gguf.GGML_QUANT_SIZES[kind]
    require(
        data.shape[-1] % block == 0,
        f"QUANT={quant}: {name} has rows of {data.shape[-1]} numbers, which isn't a multiple of "
        f"{block}: leave QUANT= out.",
    )
    return Tensor(gguf.quants.quantize(data, kind), kind)


def write_file(
    path: Path, config: Any, vocabulary: Vocabulary, tensors: dict[str, Tensor], quant: Quant
) -> None:
    """Write the file: how the model is built, its vocabulary, its weights."""
    writer = gguf.GGUFWriter(path, "gpt2")
    writer.add_context_length(config.n_positions)
    writer.add_embedding_length(config.n_embd)
    writer.add_block_count(config.n_layer)
    writer.add_feed_forward_length(config.n_inner or 4 * config.n_embd)
    writer.add_head_count(config.n_head)
    writer.add_layer_norm_eps(config.layer_norm_epsilon)
    is_quantised = quant is not Quant.none
    kind = gguf.LlamaFileType.MOSTLY_Q8_0 if is_quantised else gguf.LlamaFileType.ALL_F32
    writer.add_file_type(kind)
    if is_quantised:
        writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(vocabulary.pieces)
    writer.add_token_scores(vocabulary.scores)
    writer.add_token_types(vocabulary.types)
    # As in training: a text begins with the end token, and nothing else is added.
    writer.add_bos_token_id(config.bos_token_id)
    writer.add_eos_token_id(config.eos_token_id)
    writer.add_pad_token_id(config.pad_token_id)
    writer.add_unk_token_id(vocabulary.unknown)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(False)
    for name, tensor in tensors.items():
        writer.add_tensor(name, tensor.data, raw_dtype=tensor.kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def check_file(path: Path, vocabulary: Vocabulary, tensors: dict[str, Tensor]) -> None:
    """Read a GGUF file again; raises UserError where it doesn't hold what was to be written."""
    reader = gguf.GGUFReader(path)
    read = {each.name: Tensor(each.data, each.tensor_type) for each in reader.tensors}
    differing = [
        name
        for name in sorted({*read, *tensors})
        if name not in read
        or name not in tensors
        or read[name].kind != tensors[name].kind
        or not np.array_equal(read[name].data, tensors[name].data)
    ]
    require(not differing, f"{path}: {differing} aren't in the file as they were written.")
    for field, wanted in (
        ("tokens", vocabulary.pieces),
        ("scores", np.array(vocabulary.scores, dtype=np.float32).tolist()),
        ("token_type", vocabulary.types),
    ):
        found = reader.fields[f"tokenizer.ggml.{field}"].contents()
        require(found == wanted, f"{path}: the vocabulary's {field} aren't what was written.")


def check_in_llama_cpp(path: Path, source: Path, model: Any, quant: Quant) -> str:
    """Compare ids, and of a file that isn't quantised a greedy text, with transformers'; raises
    UserError where they differ."""
    llama_cpp: Any = importlib.import_module("llama_cpp")  # no part of any extra
    llama = llama_cpp.Llama(str(path), n_ctx=model.config.n_positions, verbose=False)
    tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=True)
    for text in NASTY_STRINGS:
        found = llama.tokenize(text.encode(), add_bos=False, special=False)
        wanted = tokenizer(text, verbose=False)["input_ids"]
        require(found == wanted, f"{path}: llama.cpp has other ids for {text[:40]!r}.")
    same_ids = f"llama.cpp {llama_cpp.__version__}: same ids on {len(NASTY_STRINGS)} texts"
    if quant is not Quant.none:
        return same_ids
    prompt = [model.config.bos_token_id, *tokenizer("대한민국은")["input_ids"]]
    num_tokens = check_greedy(path, llama, model, prompt)
    return f"{same_ids}, same {num_tokens} greedy tokens"


def check_greedy(path: Path, llama: Any, model: Any, prompt: list[int]) -> int:
    """Have both go on from a prompt with the likeliest token; returns how many are the same.

    They may part where two tokens are as likely. Raises UserError where they part otherwise.
    """
    length = min(len(prompt) + NUM_GREEDY, model.config.n_positions)
    prompt_1T = torch.tensor([prompt])
    mask_1T = torch.ones_like(prompt_1T)
    wanted_1T = model.generate(
        prompt_1T, attention_mask=mask_1T, do_sample=False, max_length=length
    )
    wanted = wanted_1T[0].tolist()
    written = llama.generate(prompt, temp=0.0, repeat_penalty=1.0)
    for place, token in zip(range(len(prompt), len(wanted)), written):
        if token != wanted[place]:
            with torch.no_grad():
                logits_V = model(wanted_1T[:, :place]).logits[0, -1]
            margin = float(logits_V[wanted[place]] - logits_V[token])
            require(margin < NEAR_TIE, f"{path}: llama.cpp writes another text than transformers.")
            return place - len(prompt)
    return len(wanted) - len(prompt)
