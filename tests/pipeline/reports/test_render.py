"""Pages from templates: the filters that shape them."""

import jinja2
import pytest

from pipeline.reports import render
from pipeline.reports.render import aligned, fixed, joined, one_line, quoted, score, write_page


@pytest.mark.parametrize(
    "shown, wanted",
    [
        (fixed(1234.567), "1,234.57"),
        (fixed(0.5, 0), "0"),
        (score(71.25), "71.2"),
        (score(None), "-"),
        (quoted(" 가\n"), '" 가\\n"'),
        (one_line("a  b\n c | d"), "a b c \\| d"),
        (one_line("가" * 120), "가" * 100 + "…"),
        (joined("| a\n  | b |\n\n"), "| a | b |\n"),
    ],
)
def test_values_are_shown_as_a_page_needs_them(shown, wanted):
    assert shown == wanted


def test_the_columns_of_a_table_become_as_wide_as_their_widest_cell():
    table = "| name | score |\n|---|\n| a | 1.0 |\n| longer | 22.0 |\n"
    assert aligned(table).splitlines() == [
        "| name   | score |",
        "| ------ | ----- |",
        "| a      | 1.0   |",
        "| longer | 22.0  |",
    ]


def test_a_value_that_is_not_given_is_an_error_and_writes_no_page(tmp_path):
    with pytest.raises(jinja2.UndefinedError, match="report"):
        write_page(tmp_path / "page.md", "corpus_table")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "template", sorted(render.TEMPLATES.rglob("*.md")), ids=lambda path: path.stem
)
def test_every_template_is_valid_and_narrow(template):
    text = template.read_text(encoding="utf-8")
    jinja2.Environment().parse(text)
    assert all(len(line) <= 100 for line in text.splitlines())
