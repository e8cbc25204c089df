"""The tokens stage: every document of every shard, in order, each followed by the end token."""

import json
import os

import numpy as np
import pyarrow
import pytest
from sentencepiece import SentencePieceProcessor
from tokenizers import Tokenizer, models
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from corpora.contamination import DECONTAMINATED
from corpora.errors import UserError
from corpora.recipe import RECIPE_FILE
from pipeline.executors import Context
from pipeline.settings import TokensSettings
from pipeline.stages import tokens as stage
from tests.pipeline.tiny_corpus import write_shard
from tests.tiny_tokenizer import ARTICLES, train_on_articles
from tokenizer.export import export

TEXTS = {
    "train/00000": ["</s> <s>\n\n", *ARTICLES * 8],
    "train/00001": ["가", " ", "ㅋ" * 5000],
    "validation/00000": ["한 문서"],
}
ARRAYS = [f"{name}.npy" for name in TEXTS]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    root = tmp_path_factory.mktemp("inputs")
    for name, texts in TEXTS.items():
        write_shard(root / "corpus" / f"{name}.parquet", texts)
    (root / "corpus" / DECONTAMINATED).write_text('{"nli validation": ["00ff"]}')
    (root / "corpus" / RECIPE_FILE).write_text('{"source": []}')
    export(train_on_articles(), root / "tokenizer")
    return {"corpus": root / "corpus", "tokenizer": root / "tokenizer"}


@pytest.fixture(scope="module")
def undisturbed(inputs, tmp_path_factory):
    """What one process makes."""
    folder = tmp_path_factory.mktemp("undisturbed")
    build(inputs, folder)
    return folder


def build(inputs, folder, **engine):
    folder.mkdir(exist_ok=True)
    return stage.run(TokensSettings(), inputs, folder, Context(**engine))


def read_index(folder):
    return json.loads((folder / "index.json").read_text(encoding="utf-8"))


def load(folder, name):
    return np.load(folder / f"{name}.npy", allow_pickle=False)


def assert_same_files(one, two):
    for name in (*ARRAYS, "index.json", DECONTAMINATED, RECIPE_FILE):
        assert (one / name).read_bytes() == (two / name).read_bytes(), name


def test_nothing_is_dropped_and_each_document_ends_with_the_end_token(inputs, undisturbed):
    model = inputs["tokenizer"] / "sentencepiece.model"
    processor = SentencePieceProcessor(model_file=str(model))
    for name, texts in TEXTS.items():
        ids = load(undisturbed, name)
        assert ids.dtype == np.uint16
        assert ids.ndim == 1
        documents = np.split(ids, np.flatnonzero(ids == 3) + 1)
        assert documents.pop().size == 0
        decoded = [processor.decode(document[:-1].tolist()) for document in documents]
        assert decoded == texts


def test_the_index_counts_tokens_documents_and_bytes(inputs, tmp_path):
    counts = build(inputs, tmp_path)
    index = read_index(tmp_path)
    assert (index["vocab_size"], index["end_token_id"], index["dtype"]) == (1024, 3, "uint16")
    for shard, (name, texts) in zip(index["shards"], TEXTS.items(), strict=True):
        assert shard["split"] == name.split("/")[0]
        assert shard["file"] == f"{name}.npy"
        assert shard["source"] == f"{name}.parquet"
        assert shard["tokens"] == len(load(tmp_path, name))
        assert shard["documents"] == len(texts)
        assert shard["bytes"] == sum(len(text.encode()) for text in texts)
    assert counts == index["totals"]
    assert counts["train"]["documents"] == len(TEXTS["train/00000"]) + 3


def test_the_result_does_not_depend_on_the_number_of_workers(inputs, undisturbed, tmp_path):
    build(inputs, tmp_path, workers=2)
    assert_same_files(undisturbed, tmp_path)


def test_a_finished_shard_is_kept_and_a_half_written_one_is_made_again(
    inputs, undisturbed, tmp_path
):
    build(inputs, tmp_path)
    kept = tmp_path / "train/00000.npy"
    lost = tmp_path / "train/00001.npy"
    half_written = tmp_path / "train/00001.npy.tmp"
    os.utime(kept, (1, 1))
    lost.rename(half_written)
    (tmp_path / "scratch/train-00001.json").unlink()
    build(inputs, tmp_path)
    assert kept.stat().st_mtime == 1
    assert not half_written.exists()
    assert_same_files(undisturbed, tmp_path)


def test_text_that_became_an_end_token_is_refused(tmp_path):
    batches = [pyarrow.array(["가", "나"])]
    with pytest.raises(UserError, match=r"00001\.npy: 3 documents, but 2 in its source"):
        stage.write_tokens(
            tmp_path / "00001.npy", batches, lambda texts: [[5], [6, 3]], "uint16", end_token=3
        )


def test_a_tokenizer_without_a_sentencepiece_model_gives_the_same_ids(
    inputs, undisturbed, tmp_path
):
    adopted = tmp_path / "adopted"
    AutoTokenizer.from_pretrained(str(inputs["tokenizer"])).save_pretrained(adopted)
    build({**inputs, "tokenizer": adopted}, tmp_path / "out")
    assert_same_files(undisturbed, tmp_path / "out")


def test_a_vocabulary_above_65536_gets_four_bytes_a_token(inputs, tmp_path):
    vocabulary = {f"낱말{number}": number for number in range(65_537)}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="낱말0"))
    fast = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="낱말65536")
    fast.save_pretrained(tmp_path / "large")
    build({**inputs, "tokenizer": tmp_path / "large"}, tmp_path / "out")
    index = read_index(tmp_path / "out")
    assert index["dtype"] == "uint32"
    assert index["vocab_size"] == 65_537
    assert load(tmp_path / "out", "validation/00000").tolist() == [0, 65_536]


def test_an_end_token_that_is_written_as_an_object_is_found(inputs, tmp_path):
    export(train_on_articles(), tmp_path)
    path = tmp_path / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["eos_token"] = {"content": "</s>", "lstrip": False}
    path.write_text(json.dumps(config), encoding="utf-8")
    assert stage.read_vocabulary(tmp_path) == (1024, 3)


def test_jobs_of_an_array_give_the_bytes_of_one_process(inputs, undisturbed, tmp_path):
    for job in (1, 2):
        with pytest.raises(SystemExit):
            build(inputs, tmp_path, shard=(job, 2))
    build(inputs, tmp_path, merge=True)
    assert_same_files(undisturbed, tmp_path)
