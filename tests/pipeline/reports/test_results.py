"""The compact tables of a run: what is taken from its artifacts, and how it is laid out."""

import json

from pipeline.reports.results import (
    collect_origins,
    collect_tokenizer,
    find_mismatches,
    list_curve_sizes,
    list_differences,
    sum_seconds,
    write_results,
)
from tests.pipeline.reports.made_up_run import make_artifact, make_run


def make_arm(mean: float, **above: list[float] | None) -> dict:
    """An arm's figures on YNAT."""
    return {
        "mean": {"macro_f1": mean},
        "sd": {"macro_f1": 0.5},
        "interval": [mean - 1, mean + 1],
        "above": above,
        "spacing": {"macro_f1": mean - 2},
        "typos": {"macro_f1": mean - 3},
    }


def make_metrics() -> dict:
    """metrics.json of a run on YNAT."""
    arms = {
        "majority": make_arm(2.5),
        "tfidf": make_arm(80.0, majority=[76.0, 79.0]),
        "pretrained": make_arm(81.5, majority=[77.0, 80.0], tfidf=[0.5, 2.5]),
    }
    curve = {
        arm: {
            size: {"mean": {"macro_f1": score}, "sd": {"macro_f1": None}}
            for size, score in (("100", 40.0), ("1000", 67.0), ("36547", 80.0))
        }
        for arm in ("tfidf", "pretrained")
    }
    result = {
        "split": "half dev",
        "rows": {"train": 36547, "validation": 4486},
        "arms": arms,
        "curve": curve,
    }
    settings = {"data": "hub", "seeds": 3}
    return {
        "model": "this model",
        "sample": False,
        "lacking": [],
        "settings": settings,
        "tasks": {"ynat": result},
    }


def write_page_of(tmp_path, metrics: dict) -> str:
    """results.md of a run of which only the klue stage is there."""
    runs = [
        {"task": "ynat", "arm": "pretrained", "rows": 0, "seed": seed, "seconds": 10.5}
        for seed in (1, 2, 3)
    ]
    runs.append({"task": "ynat", "arm": "tfidf", "rows": 100, "seed": 1, "seconds": 1.0})
    log = "".join(json.dumps(run) + "\n" for run in runs)
    preset, _ = make_run(tmp_path / "whole", {})
    files = {"metrics.json": metrics, "logs/runs.jsonl": log, "learning_curve.png": "a plot"}
    made = {"klue": make_artifact(tmp_path / "run", "klue", preset.klue.keyed(), files)}
    path = tmp_path / "out" / "results.md"
    write_results(path, "laptop", preset, made, tmp_path / "no-report")
    return path.read_text(encoding="utf-8")


def test_scores_differences_curve_noise_and_seconds_each_have_a_table(tmp_path):
    lines = write_page_of(tmp_path, make_metrics()).splitlines()
    assert "| this model | YNAT F1 |" in lines
    assert "| linear head | 81.5 ± 0.5 [80.5, 82.5] |" in lines
    assert "| linear head less TF-IDF | **+0.5 to +2.5** |" in lines
    assert "- YNAT: half dev, 4,486 of 9,107 rows, trained on 36,547 of 45,678" in lines
    assert "| labelled rows | 100 | 1,000 | all |" in lines
    assert "| YNAT F1, TF-IDF | 40.0 | 67.0 | 80.0 |" in lines
    assert "| TF-IDF | 80.0 / 78.0 / 77.0 |" in lines
    assert "| linear head | all rows | 3 | 32 |" in lines
    assert "| TF-IDF | fewer rows | 1 | 1 |" in lines
    assert "make klue-eval PRESET=laptop" in lines
    assert (tmp_path / "out/learning_curve.png").read_text() == "a plot"


def test_what_was_not_measured_has_no_table(tmp_path):
    metrics = make_metrics()
    metrics["tasks"]["ynat"]["curve"] = {}
    for figures in metrics["tasks"]["ynat"]["arms"].values():
        del figures["spacing"], figures["typos"]
    page = write_page_of(tmp_path, metrics)
    assert "Little labelled data" not in page
    assert "Noise" not in page
    assert "## Corpus" not in page


def test_every_pair_of_arms_but_the_constant_one_is_compared():
    (difference,) = list_differences(make_metrics()["tasks"])
    assert difference == {"better": "pretrained", "worse": "tfidf", "bounds": [[0.5, 2.5]]}


def test_the_sizes_of_a_curve_are_those_below_all_rows_of_any_task():
    tasks = {
        "ynat": {"curve": {"tfidf": {"100": {}, "1000": {}, "36547": {}}}},
        "sts": {"curve": {"tfidf": {"96": {}}}},
        "re": {"curve": {}},
    }
    assert list_curve_sizes(tasks) == ["100", "1000"]


def test_a_log_that_is_not_there_gives_no_seconds(tmp_path):
    assert sum_seconds(tmp_path / "runs.jsonl") == []


def test_the_origins_of_a_stage_are_all_that_it_was_made_from(tmp_path):
    _, made = make_run(tmp_path, {})
    assert [*collect_origins("klue", made)] == [*made]
    assert [*collect_origins("tokenizer", made)] == ["corpus", "tokenizer"]


def test_a_stage_that_was_made_from_another_artifact_is_found(tmp_path):
    _, made = make_run(tmp_path, {})
    assert find_mismatches(made) == []
    made["tokenizer"].manifest["digest"] = "another"
    assert find_mismatches(made) == [("tokens", "tokenizer"), ("pretrain", "tokenizer")]


def test_a_tokenizer_report_counts_only_if_it_is_of_this_tokenizer(tmp_path):
    own = {"kinds": {"chat": {"tokens": 5}}}
    wider = {"kinds": {"chat": {"tokens": 5}, "KLUE YNAT": {"tokens": 7}}}
    (tmp_path / "report.json").write_text(json.dumps([own]))
    path = tmp_path / "wider.json"
    assert collect_tokenizer(tmp_path, path) == own
    path.write_text(json.dumps([wider]))
    assert collect_tokenizer(tmp_path, path) == wider
    wider["kinds"]["chat"]["tokens"] = 6
    path.write_text(json.dumps([wider]))
    assert collect_tokenizer(tmp_path, path) == own
