"""KLUE rows are the same from the sample, a folder and the Hub; what is unfit is named by file and
row."""

import json
import shutil
from pathlib import Path
from unicodedata import normalize

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpora.errors import UserError
from corpora.tasks.rows import SAMPLE, input_files, is_sample, load_rows
from corpora.tasks.task import SPLITS, TASKS
from tests.corpora import hub_data
from tests.corpora.hub_server import REVISION
from tests.corpora.tasks.columns import columns_of

YNAT = [
    {"guid": "a", "title": "금리 또 올랐다", "label": 1},
    {"guid": "b", "title": "결승 골 터졌다", "label": 5},
]
RE = hub_data.RE[9]
STS = {
    "guid": "s",
    "sentence1": "비가 온다.",
    "sentence2": "비가 내린다.",
    "labels": {"label": 4.3, "real-label": 4.333, "binary-label": 1},
}


def write_json_lines(folder: Path, task: str, rows: list, splits=SPLITS) -> Path:
    """A folder with these rows, or lines, in each of the splits."""
    (folder / task).mkdir(parents=True, exist_ok=True)
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    for split in splits:
        text = "".join(f"{line}\n" for line in lines)
        (folder / task / f"{split}.jsonl").write_text(text, "utf-8")
    return folder


def write_parquet(path: Path, rows: list[dict], names: list[str] | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist(rows)
    if names:
        features = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
        table = table.replace_schema_metadata({"huggingface": json.dumps(features)})
    pq.write_table(table, path)


def load(folder: Path, task: str) -> list[dict]:
    return load_rows(str(folder), TASKS[task], "train")


def message_of(folder: Path, task: str) -> str:
    with pytest.raises(UserError) as error:
        load(folder, task)
    return str(error.value)


@pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))
def test_the_sample_holds_rows_of_every_task_with_known_targets(task):
    for split in SPLITS:
        for row in load_rows("sample", task, split):
            assert list(row) == list(columns_of(task))
            assert 0 <= task.target(row) <= (5 if task.regression else len(task.labels) - 1)


def test_the_sample_is_known_by_name_and_by_path(tmp_path):
    assert is_sample("sample")
    assert is_sample(f"{SAMPLE}/ynat/..")
    assert not is_sample("hub")
    assert not is_sample(str(tmp_path))


def test_a_folder_may_hold_parquet_in_the_hubs_layout_or_json_lines(tmp_path):
    write_parquet(tmp_path / "hub/ynat/train-00000-of-00002.parquet", YNAT[:1])
    write_parquet(tmp_path / "hub/ynat/train-00001-of-00002.parquet", YNAT[1:])
    assert load(tmp_path / "hub", "ynat") == YNAT
    assert load(write_json_lines(tmp_path / "lines", "ynat", YNAT), "ynat") == YNAT


def test_labels_go_by_name_where_a_file_numbers_them_in_another_order(tmp_path):
    row = {"guid": "n", "premise": "가", "hypothesis": "나", "label": 0}
    names = ["contradiction", "entailment", "neutral"]
    write_parquet(tmp_path / "nli/train-0.parquet", [row], names)
    assert load(tmp_path, "nli")[0]["label"] == 2
    write_json_lines(tmp_path, "ynat", [YNAT[0] | {"label": "스포츠"}])
    assert load(tmp_path, "ynat")[0]["label"] == 5


def test_a_changed_file_is_read_anew(tmp_path):
    path = tmp_path / "ynat/train-00000-of-00001.parquet"
    write_parquet(path, YNAT)
    assert len(load(tmp_path, "ynat")) == 2
    write_parquet(path, YNAT[:1])
    assert len(load(tmp_path, "ynat")) == 1


def test_a_missing_folder_task_or_split_is_named_before_anything_is_read(tmp_path):
    with pytest.raises(UserError, match="nowhere: no such folder"):
        input_files(str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match="ynat: no such folder"):
        input_files(str(tmp_path))
    write_json_lines(tmp_path, "ynat", YNAT, splits=["train"])
    with pytest.raises(UserError, match=r"validation split is missing.*No other is used"):
        input_files(str(tmp_path), ("ynat",))
    write_json_lines(tmp_path, "ynat", YNAT)
    paths = input_files(str(tmp_path), ("ynat",))
    assert [path.name for path in paths] == ["train.jsonl", "validation.jsonl"]
    assert input_files(str(tmp_path), ("ynat",), ("train",)) == paths[:1]
    assert input_files("hub") == []


@pytest.mark.parametrize(
    "row, expected",
    [
        (YNAT[0] | {"label": 7}, r"train\.jsonl:2: label 7 is none of YNAT's 7: 0 IT.*6 정치"),
        (YNAT[0] | {"label": -1}, "label -1 is none"),
        (YNAT[0] | {"label": True}, "label True is none"),
        (YNAT[0] | {"title": " "}, "'title' has to hold text, not ' '"),
        ({"guid": "c", "label": 1}, ":2: column 'title' is missing; it has: guid, label"),
        ("[1, 2]", ":2: a row has to be a JSON object, not list"),
        ('{"guid": "c"', ":2: not a line of JSON in UTF-8"),
    ],
)
def test_an_unfit_row_is_named_by_file_and_line(tmp_path, row, expected):
    write_json_lines(tmp_path, "ynat", [YNAT[0], row])
    with pytest.raises(UserError, match=expected):
        load(tmp_path, "ynat")


@pytest.mark.parametrize(
    "subject, expected",
    [
        ({"end_idx": 4}, "characters 0 to 4 are '한빛전자는', not '한빛전자'"),
        ({"end_idx": 99}, "characters 0 to 99 lie outside the sentence of 15 characters"),
        ({"start_idx": -1}, "characters -1 to 3 lie outside the sentence"),
        ({"start_idx": "0"}, "characters 0 to 3 lie outside the sentence"),
        (None, "has to hold word, start_idx, end_idx and type"),
    ],
)
def test_entities_have_to_stand_where_they_are_said_to(tmp_path, subject, expected):
    entity = RE["subject_entity"] | subject if subject else {"word": "한빛전자"}
    write_json_lines(tmp_path, "re", [RE, RE | {"subject_entity": entity}])
    message = message_of(tmp_path, "re")
    assert expected in message
    assert "train.jsonl:2: subject_entity" in message


@pytest.mark.parametrize("score", [None, "3", True, 5.1, -0.1, float("nan")])
def test_a_similarity_has_to_lie_between_zero_and_five(tmp_path, score):
    write_json_lines(tmp_path, "sts", [STS | {"labels": {"real-label": score}}])
    assert "has to be a number from 0 to 5" in message_of(tmp_path, "sts")


def test_an_empty_split_a_wrong_column_and_a_file_that_is_no_parquet_are_refused(tmp_path):
    write_json_lines(tmp_path, "ynat", [])
    assert "train.jsonl: the train split of YNAT has no rows." in message_of(tmp_path, "ynat")
    path = tmp_path / "ynat/train-00000-of-00001.parquet"
    write_parquet(path, [{"guid": "a", "headline": "제목", "label": 1}])
    missing = f"{path}, row 1: column 'title' is missing; it has: guid, headline, label"
    assert missing in message_of(tmp_path, "ynat")
    path.write_bytes(b"PAR1 not really")
    assert f"{path}: not a readable parquet file" in message_of(tmp_path, "ynat")


REQUESTS = {
    "ynat": {"task": "ynat", "splits": SPLITS},
    "re": {"task": "re", "splits": SPLITS},
    "no such revision": {"task": "ynat", "splits": ["train"], "revision": "f" * 40},
    "no such task": {"task": "nli", "splits": ["train"]},
}


@pytest.fixture(scope="module")
def answers(ask_hub):
    return dict(zip(REQUESTS, ask_hub(*REQUESTS.values())))


@pytest.mark.parametrize("task, rows", [("ynat", hub_data.YNAT), ("re", hub_data.RE)])
def test_the_hub_gives_all_files_of_a_split_with_labels_by_name(answers, task, rows):
    assert not answers[task].error
    assert answers[task].records == [rows, rows[:7]]


def test_what_the_hub_does_not_have_is_named(answers):
    missing = answers["no such revision"].error
    assert f"YNAT: the Hub dataset klue/klue ynat at revision {'f' * 40} (Revision" in missing
    assert "KLUE=folder" in missing
    missing = answers["no such task"].error
    assert f"NLI: the Hub dataset klue/klue nli at revision {REVISION}" in missing
    assert "KLUE=folder" in missing


def test_real_klue_is_read_whole(real_data):
    for task in TASKS.values():
        assert len(load(real_data / "klue", task.name)) > 10_000
        assert load_rows(str(real_data / "klue"), task, "validation")


def test_no_file_stays_open_when_a_row_is_refused(tmp_path):
    folder = write_json_lines(tmp_path, "re", [RE | {"sentence": "다른 문장"}, RE])
    with pytest.raises(UserError) as refused:
        load(folder, "re")
    opened = {Path(link).resolve() for link in Path("/proc/self/fd").iterdir()}
    assert folder / "re/train.jsonl" not in opened
    assert "train.jsonl:1" in str(refused.value)


@pytest.mark.parametrize("typed, on_disk", [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_folder_whose_name_stands_in_another_normal_form_is_found(tmp_path, typed, on_disk):
    shutil.copytree(SAMPLE, tmp_path / normalize(on_disk, "자료"))
    [path] = input_files(str(tmp_path / normalize(typed, "자료")), ("re",), ("train",))
    assert path.is_file()
