"""The tokens stage: every document of every shard, in order, each followed by the end token."""
import json
import os
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from konlpy.corpus import kolaw
from sentencepiece import SentencePieceProcessor
from tokenizers import Tokenizer, models
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from corpora.contamination import DECONTAMINATED
from corpora.errors import UserError
from pipeline.executors import Context
from pipeline.stages import tokens as stage
from tests.tiny_tokenizer import train
from tokenizer.export import export

CONSTITUTION = Path(kolaw.abspath("constitution.txt")).read_text(encoding="utf-8")
ARTICLES = [line for line in CONSTITUTION.split("\n") if line.strip()]
TEXTS = {"train/00000": ["</s> <s>\n\n", *ARTICLES * 8], "train/00001": ["가", " ", "ㅋ" * 5000], "validation/00000": ["한 문서"]}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    root = tmp_path_factory.mktemp("inputs")
    for name, texts in TEXTS.items():
        path = root / "corpus" / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pyarrow.parquet.write_table(pyarrow.table({"text": texts, "source": ["law"] * len(texts)}), path)
    (root / "corpus" / DECONTAMINATED).write_text('{"nli validation": ["00ff"]}')
    export(train(ARTICLES), root / "tokenizer")
    return {"corpus": root / "corpus", "tokenizer": root / "tokenizer"}


def build(inputs, folder, workers=1):
    folder.mkdir(exist_ok=True)
    counts = stage.run(None, inputs, folder, Context(workers=workers))
    return counts, json.loads((folder / "index.json").read_text(encoding="utf-8"))


def load(folder, name):
    return np.load(folder / f"{name}.npy", allow_pickle=False)


def test_nothing_is_dropped_and_each_document_ends_with_the_end_token(inputs, tmp_path):
    build(inputs, tmp_path)
    processor = SentencePieceProcessor(model_file=str(inputs["tokenizer"] / "sentencepiece.model"))
    for name, texts in TEXTS.items():
        ids = load(tmp_path, name)
        assert ids.dtype == np.uint16 and ids.ndim == 1
        documents = np.split(ids, np.flatnonzero(ids == 3) + 1)
        assert documents.pop().size == 0
        assert [processor.decode(document[:-1].tolist()) for document in documents] == texts


def test_the_index_counts_tokens_documents_and_bytes(inputs, tmp_path):
    counts, index = build(inputs, tmp_path)
    assert (index["vocab_size"], index["end_token_id"], index["dtype"]) == (1024, 3, "uint16")
    assert [(shard["split"], shard["file"], shard["source"]) for shard in index["shards"]] == [
        (name.split("/")[0], f"{name}.npy", f"{name}.parquet") for name in TEXTS]
    for shard, (name, texts) in zip(index["shards"], TEXTS.items()):
        assert shard["tokens"] == len(load(tmp_path, name))
        assert shard["documents"] == len(texts)
        assert shard["bytes"] == sum(len(text.encode()) for text in texts)
    assert counts == index["totals"]
    assert counts["train"]["documents"] == len(TEXTS["train/00000"]) + 3


def test_the_result_does_not_depend_on_the_number_of_workers(inputs, tmp_path):
    build(inputs, tmp_path / "one")
    build(inputs, tmp_path / "two", workers=2)
    for name in [*(f"{name}.npy" for name in TEXTS), "index.json", DECONTAMINATED]:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_finished_shard_is_kept_and_a_half_written_one_is_made_again(inputs, tmp_path):
    build(inputs, tmp_path / "undisturbed")
    build(inputs, tmp_path / "stopped")
    kept, lost = (tmp_path / "stopped" / f"{name}.npy" for name in ("train/00000", "train/00001"))
    os.utime(kept, (1, 1))
    lost.rename(lost.with_name(lost.name + ".tmp"))
    (tmp_path / "stopped" / "scratch" / "train-00001.json").unlink()
    build(inputs, tmp_path / "stopped")
    assert kept.stat().st_mtime == 1
    assert lost.read_bytes() == (tmp_path / "undisturbed" / "train/00001.npy").read_bytes()
    assert not lost.with_name(lost.name + ".tmp").exists()


def test_text_that_became_an_end_token_is_refused(tmp_path):
    batches = [pyarrow.array(["가", "나"])]
    with pytest.raises(UserError, match=r"00001\.npy: 3 documents, but 2 in its source"):
        stage.write_tokens(tmp_path / "00001.npy", batches, lambda texts: [[5], [6, 3]], np.dtype("uint16"), 3)


def test_a_tokenizer_without_a_sentencepiece_model_gives_the_same_ids(inputs, tmp_path):
    adopted = tmp_path / "adopted"
    AutoTokenizer.from_pretrained(str(inputs["tokenizer"])).save_pretrained(adopted)
    build(inputs, tmp_path / "one")
    build({**inputs, "tokenizer": adopted}, tmp_path / "two")
    for name in TEXTS:
        assert np.array_equal(load(tmp_path / "one", name), load(tmp_path / "two", name))


def test_a_vocabulary_above_65536_gets_four_bytes_a_token(inputs, tmp_path):
    words = Tokenizer(models.WordLevel({f"낱말{number}": number for number in range(65_537)}, unk_token="낱말0"))
    PreTrainedTokenizerFast(tokenizer_object=words, eos_token="낱말65536").save_pretrained(tmp_path / "large")
    _, index = build({**inputs, "tokenizer": tmp_path / "large"}, tmp_path / "out")
    assert index["dtype"] == "uint32" and index["vocab_size"] == 65_537
    assert load(tmp_path / "out", "validation/00000").tolist() == [0, 65_536]


def test_jobs_of_an_array_give_the_bytes_of_one_process(inputs, tmp_path):
    build(inputs, tmp_path / "one")
    for job in (1, 2):
        with pytest.raises(SystemExit):
            stage.run(None, inputs, make(tmp_path / "jobs"), Context(shard=(job, 2)))
    stage.run(None, inputs, tmp_path / "jobs", Context(merge=True))
    for name in ("index.json", *(f"{name}.npy" for name in TEXTS)):
        assert (tmp_path / "jobs" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()


def make(folder):
    folder.mkdir(exist_ok=True)
    return folder
