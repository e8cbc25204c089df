"""A document of a plain text is guessed by its lines."""

import pytest

from corpora.survey.plain import count_lines, guess_unit
from tests.corpora.survey.folders import paragraph, sentence

WRAPPED = "\n".join(" ".join(["낱말이", "줄", "끝에서", "끊긴"] * 4) for _ in range(100))


@pytest.mark.parametrize(
    "text, unit",
    [
        ("\n".join(sentence() for _ in range(200)), "line"),
        ("\n".join(sentence() for _ in range(20)), "file"),
        ("\n".join(paragraph(12) for _ in range(200)), "file"),
        ("\n\n".join(paragraph() for _ in range(200)), "file"),
        ("\n\n".join("\n".join(sentence() for _ in range(4)) for _ in range(50)), "block"),
        (WRAPPED, "file"),
    ],
)
def test_the_unit_goes_by_length_number_and_ends_of_lines(text, unit):
    found, seen = guess_unit([count_lines(text)])
    assert found == unit
    assert "characters a file" in seen


def test_lines_as_long_as_paragraphs_are_documents_only_in_few_files():
    lines = count_lines("\n".join(paragraph(3) for _ in range(200)))
    assert guess_unit([lines])[0] == "line"
    assert guess_unit([lines] * 20)[0] == "file"
