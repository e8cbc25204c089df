"""The gate holds for what this project trains, and fails, by name, for what is broken; the figures are right."""
import json
from pathlib import Path

import pytest
import sentencepiece
from konlpy.corpus import kolaw
from tokenizers import ByteLevelBPETokenizer
from transformers import PreTrainedTokenizerFast

from corpora.errors import UserError
from tests.tiny_tokenizer import train
from tokenizer.export import export
from tokenizer.quality import (
    NASTY_STRINGS,
    Encoder,
    check_nasty_strings,
    describe,
    find_problem,
    open_any,
    open_encoders,
    survey,
)

CONSTITUTION = Path(kolaw.abspath("constitution.txt")).read_text(encoding="utf-8")
ARTICLES = [line for line in CONSTITUTION.split("\n") if line.strip()]


@pytest.fixture
def folder(tmp_path):
    export(train(ARTICLES), tmp_path)
    return tmp_path


def edit(path, change):
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def problems_in(folder, texts):
    return [problem for text in texts if (problem := find_problem(text, open_encoders(folder)))]


def test_a_sound_tokenizer_passes_and_is_described(folder):
    encoders = open_encoders(folder)
    check_nasty_strings(encoders)
    report = describe(encoders, {"law": ARTICLES[:20], "nasty": [*NASTY_STRINGS]})
    figures, text = report["kinds"]["law"], "".join(ARTICLES[:20])
    assert (figures["documents"], figures["characters"], figures["bytes"]) == (20, len(text), len(text.encode()))
    assert report["all"]["unknown_tokens"] == report["all"]["problems"] == 0
    assert 1 < figures["tokens_per_eojeol"] < 8
    assert figures["tokens_per_byte"] < figures["tokens_per_character"] < 1
    assert report["all"]["tokens"] == sum(kind["tokens"] for kind in report["kinds"].values())
    assert sum(report["vocabulary"].values()) == report["vocab_size"] == 1024
    assert (report["vocabulary"]["special"], report["vocabulary"]["single bytes or parts of characters"]) == (109, 256)
    assert report["vocabulary"]["Hangul with a particle"] > 0
    assert 0 < report["unused"]["pieces"] < report["unused"]["of"] == 1024 - 109 - 256
    assert len(report["longest"][0]) == max(map(len, report["longest"])) > 3


def test_boundaries_are_judged_by_morphemes_inside_eojeols_of_lines_that_could_be_analysed():
    pieces = ["국민", "은", " 법", "률이", "\n", "국", "민"]
    encoder = Encoder("by hand", lambda text: list(range(7)), lambda ids: "".join(pieces[index] for index in ids),
                      lambda text: (list(range(7)), [0, 2, 3, 5, 7, 8, 9]), pieces, frozenset(), None)
    counts, problems, uses = survey([encoder], ["국민은 법률이\n국민"], {"국민은 법률이": [2, 6], "국민": None}.get)
    assert [counts[f"{whose}_boundaries"] for whose in ("token", "morpheme", "shared")] == [2, 2, 1]
    assert not problems and uses.tolist() == [1] * 7


def test_the_same_figures_come_from_sentencepiece_and_from_tokenizers(folder):
    kinds = {"law": ARTICLES[:20], "signs": ["👍🏽 가\u0301 한\n글 𝕳은", "", " "]}
    alone, both = (describe([encoder], kinds) for encoder in (
        open_any(folder / "sentencepiece.model"), open_any(folder)))
    for report in (alone, both):
        report.pop("name")
        for figures in (*report["kinds"].values(), report["all"]):
            assert figures["problems"] == 0
    assert alone == both


@pytest.mark.parametrize("name, content, message", [
    ("tokenizer.json", "{broken", "can't be loaded"), ("sentencepiece.model", "broken", "damaged"),
    ("readme.txt", "nothing", "no tokenizer can be loaded"), ("config.json", json.dumps({
        "model_type": "odd", "auto_map": {"AutoConfig": "code.Odd", "AutoTokenizer": ["code.Odd", None]}}), "no tokenizer can be"),
])
def test_folders_without_a_sound_tokenizer_are_refused_by_name(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=f"{tmp_path.name}.*{message}"):
        open_any(tmp_path)


def test_of_two_sentencepiece_models_one_has_to_be_named(folder):
    (folder / "tokenizer.json").unlink()
    (folder / "other.model").write_bytes((folder / "sentencepiece.model").read_bytes())
    with pytest.raises(UserError, match=r"2 \.model files"):
        open_any(folder)
    assert open_any(folder / "other.model").encode("국민") == open_any(folder / "sentencepiece.model").encode("국민")


def test_foreign_tokenizers_are_described_byte_level_with_a_gap_in_their_ids_and_sentencepiece_as_it_comes(tmp_path):
    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(ARTICLES, vocab_size=600, special_tokens=["<|endoftext|>"], show_progress=False)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer._tokenizer, eos_token="<|endoftext|>").save_pretrained(tmp_path)
    edit(tmp_path / "tokenizer.json", lambda content: content["model"]["vocab"].update(
        {max(content["model"]["vocab"], key=content["model"]["vocab"].get): 700}))
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(ARTICLES), model_prefix=str(tmp_path / "plain"),
                                             vocab_size=600, minloglevel=2)
    byte_level, plain = (describe([open_any(path)], {"law": ARTICLES[:20]}) for path in (tmp_path, tmp_path / "plain.model"))
    assert byte_level["all"]["problems"] == 0 and byte_level["vocab_size"] == 600
    assert byte_level["tokens_that_are_parts"] > 0.1
    assert byte_level["vocabulary"]["single bytes or parts of characters"] > 128
    assert plain["all"]["problems"] > 0 and plain["vocabulary"]["white space"] == 1


def test_other_merges_are_found(folder):
    edit(folder / "tokenizer.json", lambda content: content["model"]["merges"].reverse())
    with pytest.raises(UserError, match=r"token \d+ differs: sentencepiece"):
        check_nasty_strings(open_encoders(folder))


def test_a_difference_in_one_document_alone_is_found_and_named(folder):
    piece = "대통령"
    edit(folder / "tokenizer.json", lambda content: content["model"].update(
        merges=[pair for pair in content["model"]["merges"] if "".join(pair) != piece]))
    _, (problem,), _ = survey(open_encoders(folder), ["모든 국민은", "대통령은"], lambda line: None)
    assert problem.startswith("'대통령은', token 0 differs: sentencepiece")


def test_unknown_tokens_are_found(folder):
    edit(folder / "tokenizer.json", lambda content: content["model"].update(byte_fallback=False))
    with pytest.raises(UserError, match="unknown token"):
        check_nasty_strings(open_encoders(folder))


def test_text_that_becomes_a_special_token_is_found(folder):
    edit(folder / "tokenizer_config.json", lambda content: content.update(split_special_tokens=False))
    with pytest.raises(UserError, match="AutoTokenizer: text became special token <pad>"):
        check_nasty_strings(open_encoders(folder))


def test_a_lost_space_is_found(folder):
    edit(folder / "tokenizer.json", lambda content: content["decoder"]["decoders"].append(
        {"type": "Strip", "content": " ", "start": 1, "stop": 0}))
    assert "AutoTokenizer gives back" in problems_in(folder, [" 국민"])[0]


def test_a_tokenizer_that_adds_tokens_is_found(folder):
    edit(folder / "tokenizer.json", lambda content: content.update(
        normalizer={"type": "Sequence", "normalizers": [content["normalizer"], {"type": "Prepend", "prepend": "▁"}]}))
    assert "differs" in problems_in(folder, ["국민"])[0]
