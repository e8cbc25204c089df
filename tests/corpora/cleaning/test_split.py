"""Long texts are cut where a reader would, and nothing of them is lost."""

from typing import get_args

from hypothesis import given, strategies

from corpora.cleaning.split import split_text
from corpora.recipe import Source

SPLITS = get_args(Source.model_fields["split"].annotation)


@given(strategies.text(alphabet="가나\n 제1조", max_size=400), strategies.sampled_from(SPLITS))
def test_pieces_of_a_cut_text_join_to_the_text(text, split):
    pieces = split_text(text, split, 100)
    assert "".join(pieces) == text
    for piece in pieces:
        assert split == "none" or len(piece.encode()) <= 100 or "\n" not in piece[:-1]


def test_statutes_are_cut_before_articles_and_the_headings_above_them():
    articles = [f"제{number}조 (목적) 이 법은 국민의 권리를 지킨다.\n" for number in range(1, 9)]
    assert split_text("총칙\n" + "".join(articles), "article", 64) == ["총칙\n", *articles]
    chapter = "제2장 벌칙\n\n제1절 과태료\n"
    pieces = split_text(articles[0] + chapter + articles[1], "article", 110)
    assert pieces == [articles[0], chapter + articles[1]]
