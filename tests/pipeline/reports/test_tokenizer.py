"""The tokenizer report's files, whatever the tokenizers are called."""

import json

from pipeline.reports.tokenizer import write_tokenizer_report
from tests.tiny_tokenizer import ARTICLES, train_on_articles
from tokenizer.quality.encoders import from_sentencepiece
from tokenizer.quality.report import describe

NAMES = ["한글", "x$y_{$", "_under", "a | b"]


def test_names_that_a_font_a_formula_or_a_table_could_trip_over_are_written(tmp_path):
    model = tmp_path / "sentencepiece.model"
    model.write_bytes(train_on_articles())
    encoder = from_sentencepiece(model)
    reports = [describe(name, [encoder], {"law": ARTICLES[:5]}) for name in NAMES]
    write_tokenizer_report(tmp_path / "out", reports)
    assert json.loads((tmp_path / "out/report.json").read_text(encoding="utf-8")) == reports
    page = (tmp_path / "out/report.md").read_text(encoding="utf-8")
    assert "| x$y_{$ |" in page
    assert r"| a \| b |" in page
    assert (tmp_path / "out/report.png").read_bytes().startswith(b"\x89PNG")
