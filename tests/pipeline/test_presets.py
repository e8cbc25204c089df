"""Presets, overrides, and what is said about wrong ones."""

import pytest

from corpora.errors import UserError
from pipeline.presets import PRESETS, STAGE_SETTINGS, load_preset

NAMES = sorted(path.stem for path in PRESETS.glob("*.toml"))


@pytest.mark.parametrize("name", NAMES)
def test_every_preset_loads(name):
    assert load_preset(name, {}).name == name


@pytest.mark.parametrize("name", NAMES)
def test_only_the_demo_preset_uses_the_sample(name):
    preset = load_preset(name, {})
    is_demo = name == "demo"
    assert (preset.corpus.recipe == "sample") == is_demo
    assert preset.klue.data == ("sample" if is_demo else "hub")
    assert preset.prompt.data == preset.klue.data


@pytest.mark.parametrize(
    "key, text, wanted",
    [
        ("pretrain.steps", "200", 200),
        ("pretrain.steps", "1_000", 1000),
        ("pretrain.learning_rate", "1e-3", 1e-3),
        ("pretrain.compile", "false", False),
        ("klue.control", "0", False),
        ("klue.tasks", "ynat", ("ynat",)),
        ("klue.tasks", "nli  ynat nli", ("nli", "ynat")),
        ("prompt.shots", "0 4", (0, 4)),
    ],
)
def test_overrides_take_the_settings_type(key, text, wanted):
    section, name = key.split(".")
    stage = dict(load_preset("demo", {key: text}))[section]
    assert dict(stage)[name] == wanted


def test_one_tasks_epochs_leave_the_others_as_the_preset_has_them():
    before = load_preset("demo", {}).klue.epochs
    assert load_preset("demo", {"klue.epochs.nli": "3"}).klue.epochs == before | {"nli": 3}


@pytest.mark.parametrize(
    "key, text, said",
    [
        ("pretrain.step", "1", "steps"),
        ("pretrian.steps", "1", "pretrain"),
        ("pretrain.steps", "many", "int"),
        ("pretrain.steps", "1.5", "int"),
        ("pretrain.steps", "0", "at least 1"),
        ("pretrain.steps.x", "1", "steps"),
        ("klue.seeds", "0", "at least 1"),
        ("klue.epochs.nlo", "1", "nli"),
        ("klue.head", "linear crf", "of linear, language"),
        ("klue.head", "", "has to be of"),
        ("klue.tasks", "ynat snli", "'snli' is unknown.*ynat nli sts re"),
        ("klue.tasks", "", "No task is named.*ynat nli sts re"),
        ("prompt.shots", "", "one or several numbers"),
        ("tokenizer.morphemes", "kkma", "one of mecab"),
        ("tokenizer.vocab_size", "1000", "multiple of 128"),
        ("tokenizer.superwords", "9000", "at most half"),
        ("tokenizer.character_coverage", "2", "at most 1"),
        ("pretrain.heads", "3", "multiple of pretrain.heads"),
        ("pretrain.micro_batch_size", "3", "multiple"),
        ("pretrain.warmup_steps", "300", "fewer than pretrain.steps"),
        ("pretrain.short_steps", "1000000", "fewer than pretrain.steps"),
        ("pretrain.learning_rate", "nan", "at least 0"),
        ("pretrain.compile", "maybe", "bool"),
        ("steps", "1", "stage.setting"),
    ],
)
def test_a_wrong_override_is_named_with_what_to_do(key, text, said):
    with pytest.raises(UserError, match=said):
        load_preset("demo", {key: text})


def test_an_unknown_preset_names_the_nearest():
    with pytest.raises(UserError, match="Did you mean 'laptop'"):
        load_preset("labtop", {})


@pytest.mark.parametrize(
    "text, said",
    [
        ("[pretrain]\nstepz = 1", "stepz"),
        ("[pretrian]\nsteps = 1", "pretrian"),
        ("[pretrain", "TOML"),
        ("pretrain = 3", "outside a section"),
        ("[pretrain]\nsteps = 'x'", "expected int"),
        ("[pretrain]\nsteps = true", "expected int"),
    ],
)
def test_a_wrong_preset_file_is_named(tmp_path, text, said):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=said) as caught:
        load_preset(str(path), {})
    assert "mine.toml" in str(caught.value)


@pytest.mark.parametrize("kind", STAGE_SETTINGS.values())
def test_every_setting_has_help(kind):
    assert all(field.description for field in kind.model_fields.values())


def test_precision_and_logging_stay_out_of_the_key():
    kept = load_preset("demo", {}).pretrain.keyed()
    assert "steps" in kept
    assert not {"precision", "compile", "log_every", "checkpoint_minutes"} & set(kept)
