"""KLUE's rows are the same in each layout it comes in; what is missing, there twice or unfit is
named."""

import json
import subprocess
import sys
from pathlib import Path

import datasets
import pytest

from corpora.errors import UserError
from corpora.recipe import Evaluation
from corpora.sources.shards import input_files as recipe_files
from corpora.tasks.rows import input_files, load_rows
from corpora.tasks.task import SPLITS, TASKS
from tests.conftest import PROJECT
from tests.corpora.small_recipe import make_recipe, make_source
from tests.corpora.tasks.columns import columns_of

YNAT = {
    "guid": "ynat-v1_train_00000",
    "title": "한빛전자 새 전화기 내놔",
    "predefined_news_category": "경제",
    "label": "IT과학",
    "annotations": {"annotators": ["13"], "annotations": {"first-scope": ["IT과학"]}},
    "url": "https://example.com/1",
    "date": "2016.06.30. 오전 10:36",
}
NLI = {
    "guid": "klue-nli-v1_train_00000",
    "source": "wikitree",
    "premise": "비가 와서 경기가 미뤄졌다.",
    "hypothesis": "경기가 열렸다.",
    "gold_label": "contradiction",
    "author": "contradiction",
    "label2": "neutral",
}
STS = {
    "guid": "klue-sts-v1_train_00000",
    "source": "airbnb-rtt",
    "sentence1": "방이 깨끗해요.",
    "sentence2": "방이 깔끔합니다.",
    "labels": {"label": 4.3, "real-label": 4.333, "binary-label": 1},
    "annotations": {"agreement": "0:0:0:0:2:5", "annotators": ["07"], "annotations": [5]},
}
RE = {
    "guid": "klue-re-v1_train_00000",
    "sentence": "한빛전자는 김하늘이 세웠다.",
    "subject_entity": {"word": "한빛전자", "start_idx": 0, "end_idx": 3, "type": "ORG"},
    "object_entity": {"word": "김하늘", "start_idx": 6, "end_idx": 8, "type": "PER"},
    "label": "org:founded_by",
    "source": "wikipedia",
}
OWN = {"ynat": YNAT, "nli": NLI, "sts": STS, "re": RE}
LABELS = {"ynat": 0, "nli": 2, "re": 9}
FOLDERS = {"ynat": "ynat-{}", "nli": "klue-nli-{}", "sts": "klue-sts-{}", "re": "klue-re-{}"}


def write_repository(root: Path, version: str = "v1.1", **rows: list) -> Path:
    """KLUE's own repository: arrays, over several lines, and dev beside train."""
    for task, folder in FOLDERS.items():
        name = folder.format(version)
        (root / name).mkdir(parents=True)
        for split in ("train", "dev"):
            text = json.dumps(rows.get(task, [OWN[task]]), ensure_ascii=False, indent=4)
            (root / name / f"{name}_{split}.json").write_text(text, "utf-8")
    return root


def expected_row(task: str) -> dict:
    own = OWN[task] | {"label": LABELS.get(task, STS["labels"]["real-label"])}
    return {column: own[column] for column in columns_of(TASKS[task])}


def load(folder: Path, task: str, split: str = "train") -> list[dict]:
    return load_rows(str(folder), TASKS[task], split)


def split_of(task: str, split: datasets.NamedSplit | None = None) -> datasets.Dataset:
    """A row as the Hub has it, its labels in an order of its own."""
    row = expected_row(task)
    if task not in LABELS:
        row = {column: OWN[task][column] for column in TASKS[task].klue_columns}
    dataset = datasets.Dataset.from_list([row], split=split)
    if task in LABELS:
        names = TASKS[task].labels[::-1]
        dataset = dataset.map(lambda row: {"label": len(names) - 1 - row["label"]})
        dataset = dataset.cast_column("label", datasets.ClassLabel(names=list(names)))
    return dataset


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("root, version", [("", "v1.1"), ("", "v1"), ("klue_benchmark", "v1.1")])
def test_klues_own_repository_is_read_as_it_is(tmp_path, task, split, root, version):
    write_repository(tmp_path / root, version)
    assert load(tmp_path, task, split) == [expected_row(task)]


@pytest.mark.parametrize("task", TASKS)
def test_save_to_disk_folders_are_read_with_labels_by_name(tmp_path, task):
    splits = datasets.DatasetDict({split: split_of(task) for split in SPLITS})
    splits.save_to_disk(str(tmp_path / "all" / task))
    split_of(task).save_to_disk(str(tmp_path / "one" / task / "train"))
    split_of(task, datasets.Split.TRAIN).save_to_disk(str(tmp_path / "named" / task))
    for folder in ("all", "one", "named"):
        assert load(tmp_path / folder, task) == [expected_row(task)]
    assert load(tmp_path / "all", task, "validation") == [expected_row(task)]
    for folder in ("one", "named"):
        with pytest.raises(UserError, match=r"validation split is missing.*No other is used"):
            load(tmp_path / folder, task, "validation")


def test_every_file_that_counts_is_an_input_and_no_cache_is(tmp_path):
    write_repository(tmp_path / "own")
    names = [path.name for path in input_files(str(tmp_path / "own"), ("ynat", "nli"))]
    assert names == [
        "ynat-v1.1_train.json",
        "ynat-v1.1_dev.json",
        "klue-nli-v1.1_train.json",
        "klue-nli-v1.1_dev.json",
    ]
    twice = datasets.concatenate_datasets([split_of("nli")] * 2)
    twice.save_to_disk(str(tmp_path / "nli/train"), num_shards=2)
    (tmp_path / "nli/train/cache-1.arrow").write_bytes(b"")
    paths = input_files(str(tmp_path), ("nli",), ("train",))
    assert [path.name for path in paths] == [
        "state.json",
        "dataset_info.json",
        "data-00000-of-00002.arrow",
        "data-00001-of-00002.arrow",
    ]
    assert all(path.is_file() for path in paths)


def test_an_evaluation_set_may_be_klues_own_repository(tmp_path):
    write_repository(tmp_path / "klue")
    (tmp_path / "a.txt").write_text("글", "utf-8")
    evaluation = Evaluation(task="nli", split="validation", data="klue")
    recipe = make_recipe(make_source(paths=("a.txt",)), evaluation=(evaluation,))
    roles = [role for role, _ in recipe_files(recipe, tmp_path)]
    assert roles == ["s: a.txt", "evaluation nli validation: klue-nli-v1.1_dev.json"]


def test_what_is_missing_or_there_twice_is_named(tmp_path):
    write_repository(tmp_path)
    (tmp_path / "klue-nli-v1.1/klue-nli-v1.1_dev.json").unlink()
    message = "klue-nli-v1.1: the validation split is missing: .* no klue-nli-v1.1_dev.json"
    with pytest.raises(UserError, match=message):
        load(tmp_path, "nli", "validation")
    write_repository(tmp_path, "v1")
    with pytest.raises(UserError, match=r"train split of STS is there more than once: .*Leave one"):
        load(tmp_path, "sts")
    with pytest.raises(UserError, match=r"re: no such folder, so RE can't be read\. KLUE= takes"):
        load(tmp_path / "klue-nli-v1.1", "re")


@pytest.mark.parametrize(
    "task, rows, message",
    [
        ("nli", [NLI, NLI | {"gold_label": "-"}], r"_train\.json, row 2: label '-' is none of NLI"),
        ("re", [RE, RE, RE | {"sentence": "다른 글"}], r"_train\.json, row 3: subject_entity"),
        ("ynat", [YNAT, 5], r"_train\.json, row 2: a row has to be a JSON object, not int"),
        ("sts", [STS | {"sentence1": None}], r"row 1: 'sentence1' has to hold text, not None"),
    ],
)
def test_an_unfit_row_is_named_by_file_and_row(tmp_path, task, rows, message):
    write_repository(tmp_path, **{task: rows})
    with pytest.raises(UserError, match=message):
        load(tmp_path, task)


def test_a_file_or_folder_that_can_not_be_read_is_named(tmp_path):
    write_repository(tmp_path)
    path = tmp_path / "klue-nli-v1.1/klue-nli-v1.1_train.json"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(UserError, match=r"klue-nli-v1\.1_train\.json: not a file of JSON in UTF-8"):
        load(tmp_path, "nli")
    path.write_text("{}")
    with pytest.raises(UserError, match="own files are an array of rows, not dict"):
        load(tmp_path, "nli")
    split_of("nli").save_to_disk(str(tmp_path / "saved/nli/train"))
    (tmp_path / "saved/nli/train/data-00000-of-00001.arrow").write_bytes(b"no arrow")
    with pytest.raises(UserError, match="nli/train: not a readable folder of save_to_disk"):
        load(tmp_path / "saved", "nli")


def test_finding_the_files_of_a_saved_folder_needs_nothing_heavy(tmp_path):
    split_of("nli").save_to_disk(str(tmp_path / "nli/train"))
    code = f"""
import sys
from corpora.tasks.rows import input_files
assert len(input_files({str(tmp_path)!r}, ("nli",), ("train",))) == 3
assert not {{"pyarrow", "numpy", "datasets"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=PROJECT)
