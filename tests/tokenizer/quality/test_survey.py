"""What is counted in documents."""

import json

import pytest

from tests.tiny_tokenizer import train_on_articles
from tokenizer.export import export
from tokenizer.quality.encoders import Encoder, Located, open_encoders
from tokenizer.quality.survey import summarise, survey

PIECES = ["국민", "은", " 법", "률이", "\n", "국", "민"]
IDS = list(range(len(PIECES)))
BY_HAND = Encoder(
    "by hand",
    encode=lambda text: IDS,
    decode=lambda ids: "".join(PIECES[index] for index in ids),
    locate=lambda text: Located(IDS, [0, 2, 3, 5, 7, 8, 9]),
    pieces=PIECES,
    special=frozenset(),
    unknown=None,
)
TEXT = "국민은 법률이\n국민"


def test_boundaries_are_judged_by_morphemes_inside_eojeols_of_lines_that_could_be_analysed():
    morphemes = {"국민은 법률이": [2, 6], "국민": None}
    found = survey([BY_HAND], [TEXT], morphemes.get)
    assert found.counts["token_boundaries"] == 2
    assert found.counts["morpheme_boundaries"] == 2
    assert found.counts["shared_boundaries"] == 1
    assert not found.problems
    assert found.uses.tolist() == [1] * 7


def test_figures_are_sums_and_ratios_over_all_surveys():
    morphemes = {"국민은 법률이": [2, 6], "국민": []}
    found = survey([BY_HAND], [TEXT, TEXT], morphemes.get)
    figures = summarise([found, found])
    assert figures["documents"] == 4
    assert figures["eojeols"] == 12
    assert figures["characters"] == 40
    assert figures["bytes"] == 4 * len(TEXT.encode())
    assert figures["tokens"] == 28
    assert figures["unknown_tokens"] == 0
    assert (figures["problems"], figures["first_problem"]) == (0, "")
    assert figures["tokens_per_eojeol"] == pytest.approx(28 / 12, abs=1e-5)
    assert figures["tokens_per_character"] == pytest.approx(0.7)
    assert figures["boundary_precision"] == pytest.approx(1 / 3, abs=1e-5)
    assert figures["boundary_recall"] == pytest.approx(0.5)


def test_no_text_has_figures_without_a_division_by_zero():
    figures = summarise([survey([BY_HAND], [], lambda line: [])])
    assert (figures["documents"], figures["tokens_per_eojeol"]) == (0, 0)


def test_a_difference_in_one_document_alone_is_found_and_named(tmp_path):
    export(train_on_articles(), tmp_path)
    path = tmp_path / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    merges = content["model"]["merges"]
    content["model"]["merges"] = [pair for pair in merges if "".join(pair) != "대통령"]
    path.write_text(json.dumps(content), encoding="utf-8")
    found = survey(open_encoders(tmp_path), ["모든 국민은", "대통령은"], lambda line: None)
    [problem] = found.problems
    assert problem.startswith("'대통령은', token 0 differs: sentencepiece")
