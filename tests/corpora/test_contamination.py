"""Evaluation text is found in any spacing, as a part of a document; set phrases and short words alone are not."""
import json
import random

import pytest

from corpora.cleaning.clean import normalise
from corpora.contamination import Index, fingerprint, load_index
from corpora.duplicates.dedup import Texts
from corpora.pii import replace_personal_data
from corpora.recipe import Evaluation, Recipe, Source
from corpora.tasks.rows import load_rows
from corpora.tasks.task import TASKS

LONG = "세종은 1418년에 왕위에 올라 집현전을 두고 훈민정음을 만들어 백성을 가르쳤다."
TITLE = "코스피 2000선 붕괴"


@pytest.fixture
def index():
    return Index(["re validation 1", "ynat validation 2", "nli validation 3"],
                 [LONG, TITLE, "한 줄짜리 영화평은 이렇게도 쓴다"], 13, 0.5)


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
    assert found(index, "왕위에 올라 백성을 가르쳤다. 집현전을 두었다. 1418년에 훈민정음을 만들었다.") == {}


def test_a_short_text_counts_as_a_whole_document_or_line_only(index):
    assert found(index, "코스피, 2000선 붕괴!") == {0: "ynat validation 2"}
    assert found(index, f"오늘의 기사\n{TITLE}\n다음 기사") == {0: "ynat validation 2"}
    assert found(index, "어제 코스피 2000선 붕괴로 시장이 흔들렸다") == {}


def test_a_run_does_not_reach_from_one_document_into_the_next(index):
    assert found(index, LONG[:len(LONG) // 2], LONG[len(LONG) // 2:]) == {}


def test_every_document_of_a_batch_is_judged_by_itself(index):
    assert found(index, LONG, "딴 글", "한줄짜리 영화평은 이렇게도 쓴다", LONG + LONG) == {
        0: "re validation 1", 2: "nli validation 3", 3: "re validation 1"}


def test_an_index_of_nothing_finds_nothing():
    assert found(Index([], [], 13, 0.5), LONG, "") == {}
    assert found(Index(["x"], ["!!"], 13, 0.5), LONG, "!!", "") == {}


def test_the_fast_search_finds_what_a_plain_one_finds():
    """The same rule by slices and sets, on sentences cut, joined and changed at random."""
    rng = random.Random(0)
    words = [chr(0xac00 + rng.randrange(40)) * rng.randrange(1, 3) for _ in range(60)]
    evaluation = ["".join(rng.choices(words, k=rng.randrange(4, 16))) for _ in range(40)]
    documents = []
    for _ in range(300):
        parts = [text[rng.randrange(3):len(text) - rng.randrange(6)] for text in rng.sample(evaluation, 2)]
        documents.append("".join([*rng.choices(words, k=4), parts[0], *rng.choices(words, k=2), parts[1]]))
    for share in (0.3, 0.5, 1.0):
        index = Index([str(number) for number in range(40)], evaluation, 7, share)

        def contaminated(document, share=share):
            held = {document[start:start + 7] for start in range(len(document) - 6)}
            for text in evaluation:
                runs = {text[start:start + 7] for start in range(len(text) - 6)}
                if (runs and len(runs & held) >= share * len(runs)) or (not runs and text == document):
                    return True
            return False

        expected = {number for number, document in enumerate(documents) if contaminated(document)}
        assert 0 < len(expected) < len(documents)
        assert set(found(index, *documents)) == expected


def test_a_recipe_names_its_evaluation_sets_and_their_fingerprints_tell_texts_apart():
    recipe = Recipe("t", "d", 0.1, (Source("a", "files", "mine"),),
                    evaluation=(Evaluation("nli", "validation", "sample"), Evaluation("re", "validation", "sample")))
    index, fingerprints = load_index(recipe, None)
    assert set(fingerprints) == {"nli validation", "re validation"}
    row = load_rows("sample", TASKS["re"], "validation")[0]
    assert found(index, "앞 글. " + row["sentence"]) == {0: f"re validation {row['guid']}"}
    assert set(fingerprint([row["sentence"]])) <= set(fingerprints["re validation"])
    assert not set(fingerprint(["딴 글"])) & set(fingerprints["re validation"])


def test_a_text_is_found_as_it_stands_after_cleaning_and_two_entries_of_a_split_add_up(tmp_path):
    sentence = "연락처는 02-736-6990이고 狼島로 가는 배는 매일 아침 여덟 시에 항구를 떠난다."
    row = {"guid": "1", "premise": sentence, "hypothesis": "배는 아침에 항구를 떠난다고 한다.", "label": 0}
    (tmp_path / "nli").mkdir()
    rows = [row, row | {"guid": "2", "premise": "진짜 웃겨" + "ㅋ" * 20}]
    lines = [json.dumps(each, ensure_ascii=False) + "\n" for each in rows]
    (tmp_path / "nli" / "validation.jsonl").write_text("".join(lines), encoding="utf-8")
    recipe = Recipe("t", "d", 0.1, (Source("a", "files", "mine"),), evaluation=(
        Evaluation("nli", "validation", str(tmp_path)), Evaluation("nli", "validation", "sample")))
    index, fingerprints = load_index(recipe, None)
    cleaned = replace_personal_data(normalise(sentence)[0], "placeholder")[0]
    assert cleaned != sentence and found(index, cleaned, sentence) == {0: "nli validation 1", 1: "nli validation 1"}
    assert found(index, "진짜 웃겨ㅋㅋㅋㅋㅋㅋ") == {0: "nli validation 2"}  # as `repeats` leaves it
    texts = {each[column] for each in rows for column in ("premise", "hypothesis")}
    assert len(fingerprints["nli validation"]) > len(fingerprint(list(texts))) == 3
