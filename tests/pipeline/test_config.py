"""Presets, overrides, and what is said about wrong ones."""
import pytest

from corpora.errors import UserError
from pipeline.settings import PRESETS, SECTIONS, keyed, load_preset
from pipeline.stages import STAGES


@pytest.mark.parametrize("name", sorted(path.stem for path in PRESETS.glob("*.toml")))
def test_every_preset_loads(name):
    preset = load_preset(name, {})
    assert preset["pretrain"].batch_size % preset["pretrain"].micro_batch_size == 0
    assert preset["pretrain"].width % preset["pretrain"].heads == 0
    assert preset["tokenizer"].vocab_size % 128 == 0


def test_only_the_demo_preset_uses_the_sample():
    for path in PRESETS.glob("*.toml"):
        preset = load_preset(path.stem, {})
        sample = path.stem == "demo"
        assert (preset["corpus"].recipe == "sample") == sample
        assert preset["klue"].data == ("sample" if sample else "hub")


@pytest.mark.parametrize("key, value, wanted", [
    ("pretrain.steps", "200", 200), ("pretrain.steps", "1_000", 1000), ("pretrain.learning_rate", "1e-3", 1e-3),
    ("pretrain.compile", "false", False), ("klue.control", "0", False), ("klue.tasks", "ynat", "ynat")])
def test_overrides_take_the_settings_type(key, value, wanted):
    section, name = key.split(".")
    assert getattr(load_preset("demo", {key: value})[section], name) == wanted


@pytest.mark.parametrize("key, value, said", [
    ("pretrain.step", "1", "steps"), ("pretrian.steps", "1", "pretrain"), ("pretrain.steps", "many", "int"),
    ("pretrain.steps", "1.5", "int"), ("pretrain.steps", "0", "at least 1"), ("klue.seeds", "0", "at least 1"), ("klue.head", "linear crf", "of linear, language and joint"), ("klue.head", "", "has to be of"),
    ("tokenizer.morphemes", "kkma", "one of mecab"), ("tokenizer.vocab_size", "1000", "multiple of 128"), ("tokenizer.superwords", "9000", "at most half"), ("pretrain.heads", "3", "multiple of pretrain.heads"),
    ("pretrain.micro_batch_size", "3", "multiple"), ("pretrain.warmup_steps", "300", "fewer than pretrain.steps"),
    ("tokenizer.character_coverage", "2", "at most 1"), ("pretrain.short_steps", "1000000", "fewer than pretrain.steps"), ("pretrain.learning_rate", "nan", "at least 0"), ("pretrain.compile", "maybe", "bool"), ("steps", "1", "stage.setting")])
def test_a_wrong_override_is_named_with_what_to_do(key, value, said):
    with pytest.raises(UserError, match=said):
        load_preset("demo", {key: value})


def test_an_unknown_preset_names_the_nearest():
    with pytest.raises(UserError, match="Did you mean 'laptop'"):
        load_preset("labtop", {})


@pytest.mark.parametrize("text, said", [
    ("[pretrain]\nstepz = 1", "stepz"), ("[pretrian]\nsteps = 1", "pretrian"), ("[pretrain", "TOML"),
    ("pretrain = 3", "outside a section"),
    ("[pretrain]\nsteps = 'x'", "expected int"), ("[pretrain]\nsteps = true", "expected int")])
def test_a_wrong_preset_file_is_named(tmp_path, text, said):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=said) as caught:
        load_preset(str(path), {})
    assert "mine.toml" in str(caught.value)


@pytest.mark.parametrize("kind", SECTIONS.values())
def test_every_setting_has_help(kind):
    assert all(field.metadata["help"] for field in kind.__dataclass_fields__.values())


def test_precision_and_logging_stay_out_of_the_key():
    kept = keyed(load_preset("demo", {})["pretrain"])
    assert "steps" in kept
    assert not {"precision", "compile", "log_every", "checkpoint_minutes"} & set(kept)


def test_what_anyone_may_edit_counts_in_the_key():
    roles = {role for role, _ in STAGES["corpus"].files(load_preset("demo", {})["corpus"], None)}
    assert {"recipe", "cleanups.toml", "personal_data.toml", "recipe_keys.toml", "klue.toml"} <= roles
    for stage, head, wanted in (("klue", "linear", False), ("klue", "linear language", True), ("prompt", "", True)):
        settings = load_preset("demo", {"klue.head": head} if head else {})[stage]
        assert ("prompts.toml" in [role for role, _ in STAGES[stage].files(settings, None)]) == wanted
