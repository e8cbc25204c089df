"""KLUE rows: the same from the sample, a folder and a Hub; what is unfit is named by file and row."""
import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpora.errors import UserError
from corpora.tasks.rows import input_files, load_rows
from corpora.tasks.task import SPLITS, TASKS, find_tasks

YNAT = [{"guid": "a", "title": "금리 또 올랐다", "label": 1}, {"guid": "b", "title": "결승 골 터졌다", "label": 5}]
RE = {"guid": "r", "sentence": "한빛전자는 김하늘이 세웠다.", "label": 9,
      "subject_entity": {"word": "한빛전자", "start_idx": 0, "end_idx": 3, "type": "ORG"},
      "object_entity": {"word": "김하늘", "start_idx": 6, "end_idx": 8, "type": "PER"}}
STS = {"guid": "s", "sentence1": "비가 온다.", "sentence2": "비가 내린다.",
       "labels": {"label": 4.3, "real-label": 4.333, "binary-label": 1}}


def write_jsonl(folder: Path, task: str, rows: list, splits=SPLITS) -> Path:
    (folder / task).mkdir(parents=True, exist_ok=True)
    for split in splits:
        lines = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
        (folder / task / f"{split}.jsonl").write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return folder


def write_parquet(path: Path, rows: list[dict], names: list[str] | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist(rows)
    if names:
        features = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
        table = table.replace_schema_metadata({"huggingface": json.dumps(features)})
    pq.write_table(table, path)


def message_of(data: Path, task: str, split: str = "train") -> str:
    with pytest.raises(UserError) as error:
        load_rows(str(data), TASKS[task], split)
    return str(error.value)


@pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))
def test_the_sample_holds_rows_of_every_task_with_known_targets(task):
    for split in SPLITS:
        for row in load_rows("sample", task, split):
            assert list(row) == list(task.columns)
            assert 0 <= task.target(row) <= (5 if task.regression else len(task.labels) - 1)


def test_a_folder_may_hold_parquet_in_the_hubs_layout_or_json_lines(tmp_path):
    write_parquet(tmp_path / "hub/ynat/train-00000-of-00002.parquet", YNAT[:1])
    write_parquet(tmp_path / "hub/ynat/train-00001-of-00002.parquet", YNAT[1:])
    lines = write_jsonl(tmp_path / "lines", "ynat", YNAT)
    assert load_rows(str(tmp_path / "hub"), TASKS["ynat"], "train") == YNAT
    assert load_rows(str(lines), TASKS["ynat"], "train") == YNAT


def test_labels_go_by_name_where_a_file_numbers_them_in_another_order(tmp_path):
    write_parquet(tmp_path / "nli/train-0.parquet", [{"guid": "n", "premise": "가", "hypothesis": "나", "label": 0}],
                  names=["contradiction", "entailment", "neutral"])
    assert load_rows(str(tmp_path), TASKS["nli"], "train")[0]["label"] == 2
    write_jsonl(tmp_path, "ynat", [YNAT[0] | {"label": "스포츠"}])
    assert load_rows(str(tmp_path), TASKS["ynat"], "train")[0]["label"] == 5


def test_a_changed_file_is_read_anew(tmp_path):
    path = tmp_path / "ynat/train-00000-of-00001.parquet"
    write_parquet(path, YNAT)
    assert len(load_rows(str(tmp_path), TASKS["ynat"], "train")) == 2
    write_parquet(path, YNAT[:1])
    assert len(load_rows(str(tmp_path), TASKS["ynat"], "train")) == 1


def test_a_missing_folder_task_or_split_is_named_before_anything_is_read(tmp_path):
    with pytest.raises(UserError, match=r"nowhere: no such folder"):
        input_files(str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match=r"ynat: no such folder"):
        input_files(str(tmp_path))
    write_jsonl(tmp_path, "ynat", YNAT, splits=["train"])
    with pytest.raises(UserError, match=r"validation split is missing.*No other is used"):
        input_files(str(tmp_path), "ynat")
    write_jsonl(tmp_path, "ynat", YNAT)
    assert [path.name for path in input_files(str(tmp_path), "ynat")] == ["train.jsonl", "validation.jsonl"]
    assert input_files("hub") == []


def test_an_unknown_task_is_refused_with_the_known_ones():
    with pytest.raises(UserError, match=r"'ner' is unknown.*ynat nli sts re"):
        find_tasks("ynat ner")
    with pytest.raises(UserError, match="No KLUE task"):
        find_tasks(" ")
    assert [task.name for task in find_tasks("re ynat re")] == ["re", "ynat"]


@pytest.mark.parametrize("row, expected", [
    (YNAT[0] | {"label": 7}, r"train\.jsonl:2: label 7 is none of YNAT's 7.*6 정치"),
    (YNAT[0] | {"label": -1}, "label -1 is none"),
    (YNAT[0] | {"label": True}, "label True is none"),
    (YNAT[0] | {"title": " "}, "'title' has to hold text"),
    ({"guid": "c", "label": 1}, r":2: column 'title' is missing; it has: guid, label"),
    ("[1, 2]", r":2: a row has to be a JSON object, not list"),
    ('{"guid": "c"', r":2: not a line of JSON"),
])
def test_an_unfit_row_is_named_by_file_and_line(tmp_path, row, expected):
    write_jsonl(tmp_path, "ynat", [YNAT[0], row])
    with pytest.raises(UserError, match=expected):
        load_rows(str(tmp_path), TASKS["ynat"], "train")


@pytest.mark.parametrize("subject, expected", [
    ({"word": "한빛전자", "start_idx": 0, "end_idx": 4, "type": "ORG"},
     "characters 0 to 4 are '한빛전자는', not '한빛전자'"),
    ({"word": "한빛전자", "start_idx": 0, "end_idx": 99, "type": "ORG"}, "lie outside the sentence of 15 characters"),
    ({"word": "한빛전자"}, "has to hold word, start_idx, end_idx and type"),
])
def test_entities_have_to_stand_where_they_are_said_to(tmp_path, subject, expected):
    write_jsonl(tmp_path, "re", [RE, RE | {"subject_entity": subject}])
    message = message_of(tmp_path, "re")
    assert expected in message
    assert "train.jsonl:2: subject_entity" in message


@pytest.mark.parametrize("score", [None, "3", 5.1, -0.1, float("nan")])
def test_a_similarity_has_to_lie_between_zero_and_five(tmp_path, score):
    write_jsonl(tmp_path, "sts", [STS | {"labels": {"real-label": score}}])
    assert "has to be a number from 0 to 5" in message_of(tmp_path, "sts")


def test_an_empty_split_a_wrong_column_and_a_file_that_is_no_parquet_are_refused(tmp_path):
    write_jsonl(tmp_path, "ynat", [])
    assert "has no rows" in message_of(tmp_path, "ynat")
    path = tmp_path / "ynat/train-00000-of-00001.parquet"
    write_parquet(path, [{"guid": "a", "headline": "제목", "label": 1}])
    assert f"{path}, row 1: column 'title' is missing; it has: guid, headline, label" in message_of(tmp_path, "ynat")
    path.write_bytes(b"PAR1 not really")
    assert "not a readable parquet file" in message_of(tmp_path, "ynat")


def test_the_module_and_its_input_files_need_the_standard_library_only():
    code = ("import sys; from corpora.klue import input_files; assert len(input_files('sample')) == 8; "
            "assert not {'pyarrow', 'numpy', 'datasets', 'huggingface_hub'} & set(sys.modules)")
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_real_klue_is_read_whole(real_data):
    for task in TASKS.values():
        assert len(load_rows(str(real_data / "klue"), task, "train")) > 10_000
        assert load_rows(str(real_data / "klue"), task, "validation")
