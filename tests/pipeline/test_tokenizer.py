"""The tokenizer stage: trained from a corpus, or adopted from a folder."""
import json
import re
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from konlpy.corpus import kolaw
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from corpora.errors import UserError
from pipeline.executors import Context
from pipeline.settings import SECTIONS
from pipeline.stages import tokenizer as stage

CONSTITUTION = Path(kolaw.abspath("constitution.txt")).read_text(encoding="utf-8")
ARTICLES = [line for line in CONSTITUTION.split("\n") if line.strip()]
CONTEXT = Context()
SETTINGS = {"vocab_size": 1024, "sample_bytes": 1_000_000}


@pytest.fixture
def corpus(tmp_path):
    return write_corpus(tmp_path / "corpus", train=ARTICLES[20:], validation=ARTICLES[:20])


def write_corpus(folder, num_shards=2, **splits):
    for split, texts in splits.items():
        (folder / split).mkdir(parents=True)
        for number, part in enumerate(texts[shard::num_shards] for shard in range(num_shards)):
            table = pyarrow.table({"text": part, "source": ["law"] * len(part),
                                   "id": [f"law-{index}" for index in range(len(part))]})
            pyarrow.parquet.write_table(table, folder / split / f"law-{number:05d}.parquet", compression="zstd")
    return folder


def build(corpus, folder, context=CONTEXT, **settings):
    folder.mkdir(exist_ok=True)
    return stage.run(SECTIONS["tokenizer"](**SETTINGS | settings), {"corpus": corpus}, folder, context)


@pytest.mark.parametrize("option, value, pattern", [
    ("split_by_unicode_script", False, "[가-힣]\\."), ("split_digits", True, "[0-9]{2}"), ("treat_whitespace_as_suffix", True, "[가-힣]\u2581")])
def test_sentencepieces_own_options_change_the_pieces_and_pass_the_gate(corpus, tmp_path, option, value, pattern):
    found = []
    for settings in ({}, {option: value}):
        folder = tmp_path / f"with-{len(settings)}"
        build(corpus, folder, morphemes="none", **settings)
        pieces = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab()
        found.append(any(re.search(pattern, piece) for piece in pieces if not piece.startswith("<")))
    assert found[0] != found[1]


def test_the_folder_opens_with_autotokenizer_and_its_figures_are_written(corpus, tmp_path):
    counts = build(corpus, tmp_path / "out")
    tokenizer = AutoTokenizer.from_pretrained(str(tmp_path / "out"))
    assert tokenizer.decode(tokenizer("  대한민국은\n<s>")["input_ids"]) == "  대한민국은\n<s>"
    [report] = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["all"] == report["kinds"]["law"] == counts["held_out"]
    assert report["all"]["documents"] == 20 and report["trained_on"]["documents"] == len(ARTICLES) - 20
    assert "tokens per eojeol" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "| Hangul syllable |" in (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert (tmp_path / "out" / "report.png").read_bytes().startswith(b"\x89PNG")


def test_the_same_corpus_in_other_shards_and_more_workers_give_the_same_files(corpus, tmp_path):
    other = write_corpus(tmp_path / "other", num_shards=5, train=ARTICLES[20:][::-1], validation=ARTICLES[:20])
    build(corpus, tmp_path / "one")
    build(other, tmp_path / "two", context=Context(workers=3))
    for path in filter(Path.is_file, (tmp_path / "one").iterdir()):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_the_project_s_own_tokenizer_is_adopted_with_its_sentencepiece_model(corpus, tmp_path):
    build(corpus, tmp_path / "one", model_type="unigram", morphemes="none")
    (tmp_path / "one" / "config.json").write_text('{"model_type": "gpt2"}')
    quality = build(corpus, tmp_path / "two", init=str(tmp_path / "one"))
    assert quality["vocab_size"] == 1024 and quality["held_out"]["problems"] == 0
    assert (tmp_path / "two" / "sentencepiece.model").read_bytes() == \
        (tmp_path / "one" / "sentencepiece.model").read_bytes()
    one, two = (AutoTokenizer.from_pretrained(str(tmp_path / name)) for name in ("one", "two"))
    assert one("글 <s>\n")["input_ids"] == two("글 <s>\n")["input_ids"]


def test_a_source_whose_name_begins_like_another_s_keeps_its_texts_apart(tmp_path):
    for name, text in (("ko-00000", "가"), ("ko-news-00000", "나")):
        path = tmp_path / "train" / f"{name}.parquet"
        path.parent.mkdir(exist_ok=True)
        pyarrow.parquet.write_table(pyarrow.table({"text": [text]}), path)
    adopting = SECTIONS["tokenizer"](init="a folder")
    assert stage.draw_texts(tmp_path, adopting) == ([], {"ko": ["가"], "ko-news": ["나"]})


def test_names_that_a_font_or_a_formula_could_trip_over_are_drawn(tmp_path):
    stage.plot_bars(tmp_path / "plot.png", {"한글": {"law": 2.0}, "x$y_{$": {"law": 1.0}, "_under": {"law": 3.0}}, "t")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def save_foreign(folder, **special):
    words = Tokenizer(models.WordLevel({"[UNK]": 0, "국민은": 1, "모든": 2, "<|end|>": 3}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=words, **special).save_pretrained(folder)
    (folder / "config.json").write_text('{"model_type": "gpt2"}')
    return str(folder)


def test_what_an_adopted_tokenizer_loses_is_reported(corpus, tmp_path):
    init = save_foreign(tmp_path / "foreign", eos_token="<|end|>", unk_token="[UNK]")
    quality = build(corpus, tmp_path / "out", init=init)
    everything = len(ARTICLES)  # whatever it was trained on, it wasn't this corpus
    assert quality["held_out"]["problems"] == quality["held_out"]["documents"] == everything
    assert quality["held_out"]["unknown_tokens"] > 100
    assert "an unknown token after" in quality["held_out"]["first_problem"]
    assert not (tmp_path / "out" / "sentencepiece.model").exists()
    assert AutoTokenizer.from_pretrained(str(tmp_path / "out")).eos_token_id == 3


def test_a_tokenizer_without_an_end_token_is_refused(corpus, tmp_path):
    with pytest.raises(UserError, match="no end-of-text token"):
        build(corpus, tmp_path / "out", init=save_foreign(tmp_path / "foreign", unk_token="[UNK]"))


def test_folders_that_hold_no_tokenizer_are_refused_by_name(corpus, tmp_path):
    with pytest.raises(UserError, match="nowhere: no such folder"):
        build(corpus, tmp_path / "out", init=str(tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"no config\.json"):
        build(corpus, tmp_path / "out", init=str(tmp_path / "empty"))
    (tmp_path / "empty" / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(UserError, match=r"no tokenizer\.json"):
        build(corpus, tmp_path / "out", init=str(tmp_path / "empty"))
    (tmp_path / "empty" / "tokenizer.json").write_text("{broken", encoding="utf-8")
    with pytest.raises(UserError, match="can't be loaded"):
        build(corpus, tmp_path / "out", init=str(tmp_path / "empty"))
