"""`make task`: a task is written from a look at a file, and its rows can be read."""

import json

import pytest

from corpora.errors import UserError
from corpora.tasks.rows import load_task
from pipeline.tools.task import task


def write_rows(folder, name="ratings_train.txt", text="재미있다", num_rows=40) -> None:
    lines = [f"{number}\t{text} {number}\t{number % 2}" for number in range(num_rows)]
    (folder / name).write_text("\n".join(["id\tdocument\tlabel", *lines]), "utf-8")


def test_nsmc_as_it_is_shipped(tmp_path, capsys):
    (tmp_path / "data").mkdir()
    write_rows(tmp_path / "data")
    write_rows(tmp_path / "data", "ratings_test.txt", num_rows=10)
    task(tmp_path / "data/ratings_train.txt", tmp_path / "영화.toml")
    found = load_task(str(tmp_path / "영화.toml"))
    assert (found.texts, found.label, found.labels) == (("document",), "label", ("0", "1"))
    assert (found.format, found.metrics) == ("tsv", ("accuracy",))
    assert found.validation == ("data/ratings_test.txt",)
    said = capsys.readouterr().out
    assert "영화: 40 rows to train on, 10 to score" in said
    assert "make klue-eval TASKS=" in said


def test_pairs_paths_and_a_share_that_is_held_out(tmp_path):
    rows = [
        {
            "id": n,
            "premise": f"비가 온다 {n}",
            "hypothesis": "춥다",
            "meta": {"label": ("참", "거짓")[n % 2]},
        }
        for n in range(60)
    ]
    (tmp_path / "rows [1].json").write_text(json.dumps({"data": rows}), "utf-8")
    task(tmp_path / "rows [1].json", tmp_path / "nli2.toml")
    found = load_task(str(tmp_path / "nli2.toml"))
    assert found.texts == ("data[].premise", "data[].hypothesis")
    assert found.label == "data[].meta.label"
    assert found.labels == ("거짓", "참")
    assert found.held_out == 0.1


def test_numbers_that_are_no_labels_are_scores(tmp_path):
    lines = [
        json.dumps({"sentence1": f"글 {n}", "sentence2": "말", "score": n / 10}) for n in range(60)
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines), "utf-8")
    task(tmp_path / "rows.jsonl", tmp_path / "likeness.toml")
    found = load_task(str(tmp_path / "likeness.toml"))
    assert found.metrics == ("pearson",)
    assert (found.lowest, found.highest) == (0.0, 5.9)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("prose.txt", "글이 있다.\n또 있다.\n", r"read as txt: labelled rows are tables"),
        ("numbers.csv", "a,b\n1,2\n3,4\n", r"no column or key of it holds text"),
        ("texts.csv", "text\n가나다라\n마바사\n", r"no column of it looks like a label: no other"),
        (
            "all.csv",
            "text,id\n" + "".join(f"글 {n},{n}x\n" for n in range(60)),
            r"like a label: id",
        ),
    ],
)
def test_what_is_no_task_is_told(tmp_path, name, text, message):
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(UserError, match=message):
        task(tmp_path / name, tmp_path / "my.toml")
    assert not (tmp_path / "my.toml").exists()


def test_what_exists_is_not_written_over(tmp_path):
    write_rows(tmp_path)
    (tmp_path / "my.toml").touch()
    with pytest.raises(UserError, match=r"my.toml: exists already"):
        task(tmp_path / "ratings_train.txt", tmp_path / "my.toml")
    with pytest.raises(UserError, match=r"DATA=file"):
        task()
