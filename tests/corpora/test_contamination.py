"""Evaluation text is found in any spacing, as a part of a document; set phrases and short words
alone are not."""

import json
import random

import pytest

from corpora.cleaning.normalise import normalise
from corpora.contamination import Index, fingerprint, load_index
from corpora.duplicates.texts import Texts
from corpora.pii import replace_personal_data
from corpora.recipe import Evaluation
from corpora.tasks.rows import load_rows
from corpora.tasks.task import TASKS
from tests.corpora.small_recipe import make_recipe, make_source
from tests.plain_search import search

LONG = "세종은 1418년에 왕위에 올라 집현전을 두고 훈민정음을 만들어 백성을 가르쳤다."
TITLE = "코스피 2000선 붕괴"


@pytest.fixture(scope="module")
def index():
    names = ["re validation 1", "ynat validation 2", "nli validation 3"]
    return Index(names, [LONG, TITLE, "한 줄짜리 영화평은 이렇게도 쓴다"], 13, 0.5)


def found(index, *documents):
    return index.find(Texts(list(documents)))


def test_a_sentence_is_found_in_the_middle_of_a_document_in_any_spacing(index):
    article = f"조선의 왕들에 대한 글이다.\n여러 왕이 있었다. {LONG} 그 뒤로도 왕은 많았다."
    assert found(index, "무관한 글이다", article) == {1: "re validation 1"}
    assert found(index, article.replace(" ", "")) == {0: "re validation 1"}
    assert found(index, article.replace(" ", " , ")) == {0: "re validation 1"}


def test_an_edited_sentence_is_found_and_a_fragment_or_a_formula_is_not(index):
    assert found(index, LONG.replace("백성을", "온 백성을")) == {0: "re validation 1"}
    assert found(index, LONG[:20]) == {}
    formula = "왕위에 올라 백성을 가르쳤다. 집현전을 두었다. 1418년에 훈민정음을 만들었다."
    assert found(index, formula) == {}


def test_a_short_text_counts_as_a_whole_document_or_line_only(index):
    assert found(index, "코스피, 2000선 붕괴!") == {0: "ynat validation 2"}
    assert found(index, f"오늘의 기사\n{TITLE}\n다음 기사") == {0: "ynat validation 2"}
    assert found(index, "어제 코스피 2000선 붕괴로 시장이 흔들렸다") == {}


def test_a_run_does_not_reach_from_one_document_into_the_next(index):
    middle = len(LONG) // 2
    assert found(index, LONG[:middle], LONG[middle:]) == {}


def test_every_document_of_a_batch_is_judged_by_itself(index):
    batch = [LONG, "딴 글", "한줄짜리 영화평은 이렇게도 쓴다", LONG + LONG]
    expected = {0: "re validation 1", 2: "nli validation 3", 3: "re validation 1"}
    assert found(index, *batch) == expected


def test_an_index_of_nothing_finds_nothing():
    assert found(Index([], [], 13, 0.5), LONG, "") == {}
    assert found(Index(["x"], ["!!"], 13, 0.5), LONG, "!!", "") == {}


@pytest.mark.parametrize("share", [0.3, 0.5, 1.0])
def test_the_fast_search_finds_what_a_plain_one_finds(share):
    """On sentences cut, joined and changed at random."""
    rng = random.Random(0)
    words = [chr(0xAC00 + rng.randrange(40)) * rng.randrange(1, 3) for _ in range(60)]
    evaluation = ["".join(rng.choices(words, k=rng.randrange(4, 16))) for _ in range(40)]
    documents = []
    for _ in range(300):
        one, other = (
            text[rng.randrange(3) : len(text) - rng.randrange(6)]
            for text in rng.sample(evaluation, 2)
        )
        pieces = [*rng.choices(words, k=4), one, *rng.choices(words, k=2), other]
        documents.append("".join(pieces))
    contaminated = {document for document, _ in search(evaluation, documents, 7, share)}
    expected = {number for number, text in enumerate(documents) if text in contaminated}
    assert 0 < len(expected) < len(documents)
    index = Index([str(number) for number in range(40)], evaluation, 7, share)
    assert set(found(index, *documents)) == expected


def make_evaluation(task, data):
    return Evaluation(task=task, split="validation", data=data)


def test_a_recipe_names_its_evaluation_sets_and_their_fingerprints_tell_texts_apart():
    evaluations = (make_evaluation("nli", "sample"), make_evaluation("re", "sample"))
    index, fingerprints = load_index(make_recipe(make_source(), evaluation=evaluations), None)
    assert set(fingerprints) == {"nli validation", "re validation"}
    row = load_rows("sample", TASKS["re"], "validation")[0]
    assert found(index, "앞 글. " + row["sentence"]) == {0: f"re validation {row['guid']}"}
    assert set(fingerprint([row["sentence"]])) <= set(fingerprints["re validation"])
    assert not set(fingerprint(["딴 글"])) & set(fingerprints["re validation"])


PHONE = "연락처는 02-736-6990이고 狼島로 가는 배는 매일 아침 여덟 시에 항구를 떠난다."
ROW = {
    "guid": "1",
    "premise": PHONE,
    "hypothesis": "배는 아침에 항구를 떠난다고 한다.",
    "label": 0,
}


@pytest.fixture
def two_entries(tmp_path):
    """The index and the fingerprints of one split from two places, and the rows of the first."""
    rows = [ROW, ROW | {"guid": "2", "premise": "진짜 웃겨" + "ㅋ" * 20}]
    (tmp_path / "nli").mkdir()
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    (tmp_path / "nli" / "validation.jsonl").write_text("".join(lines), encoding="utf-8")
    evaluations = (make_evaluation("nli", str(tmp_path)), make_evaluation("nli", "sample"))
    index, fingerprints = load_index(make_recipe(make_source(), evaluation=evaluations), None)
    return index, fingerprints, rows


def test_a_text_is_found_as_it_stands_and_as_it_stands_after_cleaning(two_entries):
    index, _, _ = two_entries
    cleaned, _ = replace_personal_data(normalise(PHONE)[0], "placeholder")
    assert cleaned != PHONE
    assert found(index, cleaned, PHONE) == {0: "nli validation 1", 1: "nli validation 1"}
    assert found(index, "진짜 웃겨ㅋㅋㅋㅋㅋㅋ") == {
        0: "nli validation 2"
    }  # as `repeats` leaves it


def test_two_entries_of_a_split_add_up(two_entries):
    _, fingerprints, rows = two_entries
    texts = {row[column] for row in rows for column in ("premise", "hypothesis")}
    mine = fingerprint(list(texts))
    assert len(mine) == 3
    assert set(mine) < set(fingerprints["nli validation"])
