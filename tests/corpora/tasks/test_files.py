"""Tasks of one's own: rows in files as people have them, and what is wrong with them."""

import json
import unicodedata
import zipfile
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from corpora.errors import UserError
from corpora.tasks.rows import input_files, load_rows, load_task

TASK = """
texts = ["document"]
metrics = ["accuracy"]
train = ["train.*"]
validation = ["test.*"]
"""
ONE_FILE = """
texts = [{}]
label = "{}"
metrics = ["{}"]
train = ["train.*"]
held_out = 0.001
"""
ROWS = [("굳 ㅋ", "1"), ('"별로다', "0"), ("", "1")]


def write_task(folder: Path, text: str = TASK, name: str = "영화.toml") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def write_tables(folder: Path, suffix: str = ".tsv", encoding: str = "utf-8") -> None:
    lines = [
        "id\tdocument\tlabel",
        *(f"{n}\t{text}\t{label}" for n, (text, label) in enumerate(ROWS)),
    ]
    for split in ("train", "test"):
        (folder / f"{split}{suffix}").write_bytes("\n".join(lines).encode(encoding))


def texts_and_labels(task_file: str, split: str = "train") -> list[tuple]:
    task = load_task(task_file)
    return [(row["document"], task.labels[row["label"]]) for row in load_rows("hub", task, split)]


def test_a_table_as_nsmc_is_shipped(tmp_path):
    write_tables(tmp_path, ".txt")
    path = write_task(
        tmp_path, TASK + 'format = "tsv"\nlabels = ["0", "1"]\nlabel_names = ["부정", "긍정"]\n'
    )
    task = load_task(path)
    assert (task.name, task.title, task.names) == ("영화", "영화", ("부정", "긍정"))
    assert texts_and_labels(path) == texts_and_labels(path, "validation") == ROWS
    files = input_files("hub", (path,))
    assert [file.name for file in files] == ["영화.toml", "train.txt", "test.txt"]


def test_labels_are_found_and_stand_in_order(tmp_path):
    write_tables(tmp_path)
    assert load_task(write_task(tmp_path)).labels == ("0", "1")


def write_cp949(folder):
    write_tables(folder, encoding="cp949")


def write_json_lines(folder):
    for split in ("train", "test"):
        lines = [
            json.dumps({"document": text or None, "label": int(label)}) for text, label in ROWS
        ]
        (folder / f"{split}.jsonl").write_text("\n".join(lines))


def write_array(folder):
    for split in ("train", "test"):
        rows = [{"document": text, "label": int(label)} for text, label in ROWS]
        (folder / f"{split}.json").write_text(json.dumps(rows, indent=1))


def write_parquet(folder):
    for split in ("train", "test"):
        columns = {
            "document": [text for text, _ in ROWS],
            "label": [float(label) for _, label in ROWS],
        }
        pyarrow.parquet.write_table(pyarrow.table(columns), folder / f"{split}.parquet")


def write_zip(folder):
    write_tables(folder)
    for split in ("train", "test"):
        with zipfile.ZipFile(folder / f"{split}.zip", "w") as archive:
            archive.write(folder / f"{split}.tsv", "rows.tsv")
        (folder / f"{split}.tsv").unlink()


@pytest.mark.parametrize(
    "write", [write_cp949, write_json_lines, write_array, write_parquet, write_zip]
)
def test_every_format_gives_the_same_rows(tmp_path, write):
    write(tmp_path)
    assert texts_and_labels(write_task(tmp_path)) == ROWS


@pytest.mark.parametrize("suffix", ["json", "parquet"])
def test_nested_keys_are_paths(tmp_path, suffix):
    rows = [{"text": {"body": text}, "meta": {"label": label}} for text, label in ROWS]
    if suffix == "parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "train.parquet")
    else:
        (tmp_path / "train.json").write_text(json.dumps(rows))
    text = ONE_FILE.format('"text.body"', "meta.label", "mcc")
    task = load_task(write_task(tmp_path, text))
    found = [
        (row["text.body"], task.labels[row["label"]]) for row in load_rows("hub", task, "train")
    ]
    assert found == ROWS


def test_rows_inside_an_object_are_found_by_their_path(tmp_path):
    (tmp_path / "train.json").write_text(
        json.dumps({"data": [{"q": text, "y": label} for text, label in ROWS]})
    )
    text = ONE_FILE.format('"data[].q"', "data[].y", "accuracy")
    task = load_task(write_task(tmp_path, text))
    assert len(load_rows("hub", task, "train")) == 3


def test_texts_are_composed(tmp_path):
    line = json.dumps({"document": unicodedata.normalize("NFD", "한글"), "label": "a"})
    for split in ("train", "test"):
        (tmp_path / f"{split}.jsonl").write_text(line + "\n" + line.replace('"a"', '"b"'))
    assert texts_and_labels(write_task(tmp_path)) == [("한글", "a"), ("한글", "b")]


def test_what_is_held_out_is_of_other_texts_and_the_same_each_time(tmp_path):
    lines = [json.dumps({"document": f"글 {n % 400}", "label": n % 2}) for n in range(800)]
    (tmp_path / "train.jsonl").write_text("\n".join(lines))
    path = write_task(tmp_path, TASK.replace('validation = ["test.*"]', "held_out = 0.25"))
    task = load_task(path)
    train, validation = (load_rows("hub", task, split) for split in ("train", "validation"))
    assert len(train) + len(validation) == 800
    assert 150 < len(validation) < 250
    assert not {row["document"] for row in train} & {row["document"] for row in validation}
    assert len({row["guid"] for row in train + validation}) == 800
    assert validation == load_rows("hub", task, "validation")


def test_scores_are_read_as_numbers_within_their_limits(tmp_path):
    lines = [json.dumps({"a": "글", "b": "말", "y": score}) for score in (1, 2.5, "4")]
    (tmp_path / "train.jsonl").write_text("\n".join(lines))
    text = ONE_FILE.format('"a", "b"', "y", "spearman") + "lowest = 1\nhighest = 4\n"
    task = load_task(write_task(tmp_path, text))
    assert [row["label"] for row in load_rows("hub", task, "train")] == [1.0, 2.5, 4.0]
    with pytest.raises(UserError, match=r"train.jsonl:3: 'y' has to be a number from 1 to 3 .*'4'"):
        load_rows(
            "hub",
            load_task(write_task(tmp_path, text.replace("highest = 4", "highest = 3"))),
            "train",
        )


@pytest.mark.parametrize(
    "change, message",
    [
        (
            ("document", "text"),
            r"says texts = 'text', but the columns are 'id', 'document', 'label'",
        ),
        (("metrics", 'label = "y"\nmetrics'), r"says label = 'y', but the columns"),
        (("train.*", "training.*"), r"no file matches 'training.\*'"),
        (('train = ["train.*"]\n', ""), r"'train' is missing"),
        (("accuracy", "acuracy"), r"metrics"),
        (('["accuracy"]', '["accuracy", "pearson"]'), r"of labels or of scores, not both"),
        (
            ("metrics", 'labels = ["0"]\nmetrics'),
            r"train.tsv:2: label '1' is none of the task's: 0",
        ),
        (("metrics", 'label = "id"\nmetrics'), None),
        (("texts", "text"), r"unknown key 'text'. Did you mean 'texts'"),
    ],
)
def test_what_is_wrong_is_said_in_one_message(tmp_path, change, message):
    write_tables(tmp_path)
    path = write_task(tmp_path, TASK.replace(*change))
    if message is None:  # three rows with three ids could be labels
        assert load_task(path).labels == ("0", "1", "2")
        return
    with pytest.raises(UserError, match=message):
        load_rows("hub", load_task(path), "train")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('prompts = ["{text}:"]\nwords = ["a", "b"]', r"prompts: \{text\} is none of document"),
        ('prompts = ["{document:"]\nwords = ["a", "b"]', r"a brace that stands for itself"),
        ('prompts = ["{document}:"]\nwords = ["a"]', r"words: prompts need one for each"),
        ('ignored_label = "2"', r"ignored_label=2: isn't one of labels"),
        ("entities = true", r'entities: a row needs texts = \["sentence"\]'),
        ("symmetric = true", r"symmetric: needs two texts"),
    ],
)
def test_what_does_not_fit_together_is_told_also_of_labels_that_were_found(tmp_path, more, message):
    write_tables(tmp_path)
    with pytest.raises(UserError, match=message):
        load_task(write_task(tmp_path, TASK + more))


def test_a_row_without_a_label_or_with_too_few_fields_is_named(tmp_path):
    path = write_task(tmp_path)
    (tmp_path / "train.tsv").write_text("document\tlabel\n글\t\n")
    with pytest.raises(UserError, match=r"train.tsv:2: no label"):
        load_task(path)
    (tmp_path / "train.tsv").write_text("document\tlabel\n글\n")
    with pytest.raises(UserError, match=r"train.tsv:2: 1 fields under 2 columns"):
        load_task(path)


def test_plain_text_has_no_columns(tmp_path):
    write_tables(tmp_path, ".txt")
    with pytest.raises(UserError, match=r"train.txt: read as plain text, .*set format in the task"):
        load_task(write_task(tmp_path))


@pytest.mark.parametrize("name", ["ynta", "nowhere.toml"])
def test_an_unknown_task_is_refused(name):
    with pytest.raises(UserError, match=rf"task '{name}': neither one of KLUE's"):
        load_task(name)


def test_klues_names_are_taken(tmp_path):
    write_tables(tmp_path)
    with pytest.raises(UserError, match=r"nli is KLUE's own task"):
        load_task(write_task(tmp_path, name="nli.toml"))
