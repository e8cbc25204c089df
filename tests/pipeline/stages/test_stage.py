"""The table of stages: what counts in their keys, and what is said before an input is there."""

import shutil

import pytest

from corpora.errors import UserError
from pipeline.artifacts.digests import digest_raw_files
from pipeline.executors import Context
from pipeline.presets import Preset, load_preset
from pipeline.stages.stage import STAGES, check_inputs, inputs_of, locate, run_stage
from tests.conftest import PROJECT


def roles_of(stage: str, preset: Preset) -> set[str]:
    """The raw files that a stage's key counts, by their roles."""
    return {role for role, _ in STAGES[stage].files(preset, None)}


def test_the_tables_that_anyone_may_edit_count_in_the_corpus_key():
    roles = roles_of("corpus", load_preset("demo", {}))
    assert {"recipe", "cleanups.toml", "personal_data.toml", "klue.toml"} <= roles


@pytest.mark.parametrize(
    "stage, head, counts",
    [("klue", "linear", False), ("klue", "linear language", True), ("prompt", "linear", True)],
)
def test_the_prompts_count_where_they_are_used(stage, head, counts):
    preset = load_preset("demo", {"klue.head": head})
    assert ("prompts.toml" in roles_of(stage, preset)) == counts


def test_a_task_of_ones_own_counts_by_its_content_wherever_it_lies(tmp_path):
    keys = []
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "rows.tsv").write_text("document\tlabel\n글\t0\n말\t1\n")
        toml = tmp_path / folder / "mine.toml"
        toml.write_text('texts = ["document"]\nmetrics = ["accuracy"]\ntrain = ["rows.tsv"]\n')
        preset = load_preset("demo", {"klue.tasks": f"ynat {toml}", "klue.model": ""})
        digests = digest_raw_files(STAGES["klue"].files(preset, None), tmp_path)
        keys.append((preset.klue.keyed(), digests))
    assert keys[0] == keys[1]
    rows = tmp_path / "there" / "rows.tsv"
    rows.write_text(rows.read_text() + "또\t1\n")
    assert digest_raw_files(STAGES["klue"].files(preset, None), tmp_path) != keys[0][1]


def test_a_model_that_is_named_needs_no_pretraining():
    preset = load_preset("demo", {"klue.model": "somewhere"})
    assert inputs_of("klue", preset) == ()
    assert inputs_of("prompt", preset) == ("pretrain",)


def test_settings_that_change_no_byte_leave_the_key_as_it_is(tmp_path):
    keys = [
        locate("corpus", load_preset("demo", overrides), None, tmp_path).key
        for overrides in ({}, {"pretrain.steps": "50"}, {"corpus.recipe": "wikipedia"})
    ]
    assert keys[0] == keys[1]
    assert keys[0] != keys[2]


NUMBERS = {"precision": "fp32", "parallel": "fsdp", "validations": "3"}
"""These change what a pretraining writes, by more than the order in which it rounds."""
ROUNDING = {
    "precision": "auto",
    "parallel": "ddp",
    "micro_batch_size": "4",
    "compile": "true",
    "deterministic": "false",
    "gradient_checkpointing": "true",
}


@pytest.mark.parametrize(
    "settings, counts", [(NUMBERS, True), (ROUNDING, False)], ids=["numbers", "rounding"]
)
def test_numerics_that_are_asked_for_by_name_count_in_pretrainings_key(settings, counts):
    before = load_preset("demo", {}).pretrain.keyed()
    for name, value in settings.items():
        changed = load_preset("demo", {f"pretrain.{name}": value}).pretrain.keyed()
        assert (changed != before) == counts, name


def test_a_stage_before_its_inputs_says_what_to_run(tmp_path):
    with pytest.raises(UserError, match="make pretrain"):
        run_stage("pretrain", load_preset("demo", {}), tmp_path, None, Context)


def test_a_stage_that_jobs_cannot_share_says_so(tmp_path, monkeypatch):
    monkeypatch.setitem(STAGES, "corpus", STAGES["corpus"]._replace(sharded=False))
    with pytest.raises(UserError, match="run it once, without SHARD="):
        run_stage("corpus", load_preset("demo", {}), tmp_path, None, lambda: Context(shard=(1, 2)))


def test_a_fault_in_klues_rows_is_told_before_anything_is_trained(tmp_path):
    shutil.copytree(PROJECT / "corpora/sample/klue", tmp_path / "klue")
    path = tmp_path / "klue/nli/train.jsonl"
    path.write_text(path.read_text().replace('"label": 1', '"label": 7', 1))
    preset = load_preset("demo", {"klue.data": str(tmp_path / "klue")})
    with pytest.raises(UserError, match="label 7") as caught:
        check_inputs(preset, None, tmp_path / "artifacts")
    assert "nli/train.jsonl:" in str(caught.value)
