"""The texts to train a tokenizer on, and those to judge it on."""

import pytest

from corpora.errors import UserError
from pipeline.settings import TokenizerSettings
from pipeline.stages.corpus_texts import draw_texts, files_by_source, read_texts
from tests.pipeline.tiny_corpus import write_corpus, write_shard

ADOPTING = TokenizerSettings(init="a folder")
TEXTS = [f"{number}번째 문서" for number in range(200)]


def test_a_source_whose_name_begins_like_another_s_keeps_its_texts_apart(tmp_path):
    write_shard(tmp_path / "train/ko-00000.parquet", ["가"])
    write_shard(tmp_path / "train/ko-news-00000.parquet", ["나"])
    assert draw_texts(tmp_path, ADOPTING) == ([], {"ko": ["가"], "ko-news": ["나"]})


def test_a_source_s_files_are_those_of_both_splits(tmp_path):
    write_corpus(tmp_path, num_shards=1, train=["가"], validation=["나"])
    [(source, paths)] = files_by_source(tmp_path).items()
    assert source == "law"
    assert list(read_texts(paths)) == ["가", "나"]


def test_no_held_out_text_is_trained_on(tmp_path):
    write_corpus(tmp_path, train=TEXTS, validation=["검증 문서"])
    sample, held_out = draw_texts(tmp_path, TokenizerSettings(sample_bytes=1000))
    assert set(sample) < set(TEXTS)
    assert not set(sample) & set(held_out["law"])
    assert set(sample) | set(held_out["law"]) == {*TEXTS, "검증 문서"}


def test_a_corpus_that_is_all_trained_on_is_too_small(tmp_path):
    write_corpus(tmp_path, train=TEXTS, validation=[])
    with pytest.raises(UserError, match="no held-out documents"):
        draw_texts(tmp_path, TokenizerSettings(sample_bytes=1_000_000))
