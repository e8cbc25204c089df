"""A Hub data set arrives whole and in order, or as much of it as was asked for; what the Hub
doesn't have is named."""

import pytest

from tests.corpora.hub_data import ARTICLES, ROWS_A_FILE, WEB, WIKIPEDIA, page

PAGE_BYTES = len(page(0, 0)["text"].encode())
REQUESTS = {
    "wikipedia": WIKIPEDIA,
    "budget": WEB | {"byte_budget": 4 * 5 * PAGE_BYTES},
    "only": WEB | {"only": ["<urn:1-1", "<urn:3-30"], "byte_budget": 4 * 12 * PAGE_BYTES},
    "only without names": WEB | {"only": ["a"], "id": "name"},
    "revision": WIKIPEDIA | {"revision": "f" * 40},
    "dataset": WIKIPEDIA | {"dataset": "nobody/nothing"},
    "config": WIKIPEDIA | {"config": "20231101.xx"},
    "subset": WIKIPEDIA | {"subset": "trian"},
    "text": WIKIPEDIA | {"text": "body"},
}


@pytest.fixture(scope="module")
def answers(ask_hub):
    return dict(zip(REQUESTS, ask_hub(*REQUESTS.values())))


def texts_of(answer):
    assert not answer.error
    return [text for _, _, text, _, _ in answer.records]


def test_wikipedia_is_streamed_with_its_titles_a_file_a_part(answers):
    assert not answers["wikipedia"].error
    records = answers["wikipedia"].records
    expected = [[row["text"], row["title"], ""] for row in ARTICLES]
    assert [record[2:] for record in records] == expected
    assert records[0][:2] == [0, "wikimedia/wikipedia/0:1"]
    assert records[-1][:2] == [1, f"wikimedia/wikipedia/1:{ROWS_A_FILE}"]


def test_a_byte_budget_is_spread_evenly_over_the_parts(answers):
    expected = [page(part, number)["text"] for part in range(4) for number in range(5)]
    assert texts_of(answers["budget"]) == expected


def test_only_skips_the_rows_of_others_and_their_bytes(answers):
    numbers = [number for number in range(ROWS_A_FILE) if str(number).startswith("1")]
    of_part_1 = [page(1, number)["text"] for number in numbers[:12]]
    of_part_3 = [page(3, number)["text"] for number in (30, *range(300, 310))]
    assert texts_of(answers["only"]) == of_part_1 + of_part_3


@pytest.mark.parametrize(
    "request_name, expected",
    [
        ("revision", "RevisionNotFound"),
        ("dataset", "RepositoryNotFound"),
        ("config", "BuilderConfig '20231101.xx' not found. Available: ['20231101.ko']"),
        ("subset", "trian"),
        ("text", "the columns are 'id', 'url', 'title', 'text': set text to the right one"),
        ("only without names", "says id = 'name', but the columns are 'text', 'id', 'dump'"),
    ],
)
def test_what_the_hub_does_not_have_is_named(answers, request_name, expected):
    error = answers[request_name].error
    assert f"source {REQUESTS[request_name]['name']!r}" in error
    assert expected in error
