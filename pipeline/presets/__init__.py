"""Named sets of all stages' settings: presets/*.toml, and what takes precedence over them:
SET="stage.name=value"."""

from pathlib import Path
from typing import Any

from corpora.errors import UserError, require
from corpora.settings import Settings, find_named_file, nearest, read_toml
from pipeline import evaluation_settings, settings

PRESETS = Path(__file__).parent


class Preset(Settings):
    """Settings of all stages, and the preset's own name."""

    name: str
    description: str = ""
    corpus: settings.CorpusSettings = settings.CorpusSettings()
    tokenizer: settings.TokenizerSettings = settings.TokenizerSettings()
    tokens: settings.TokensSettings = settings.TokensSettings()
    pretrain: settings.PretrainSettings = settings.PretrainSettings()
    klue: evaluation_settings.KlueSettings = evaluation_settings.KlueSettings()
    prompt: evaluation_settings.PromptSettings = evaluation_settings.PromptSettings()


STAGE_SETTINGS: dict[str, type[Settings]] = {
    name: type(defaults) for name, defaults in Preset(name="") if isinstance(defaults, Settings)
}
ON_THE_COMMAND_LINE = "the command line"


def load_preset(name: str, overrides: dict[str, str]) -> Preset:
    """Read presets/NAME.toml (or a .toml path) and apply overrides: {"pretrain.steps": "200"}.

    Raises UserError that names an unknown preset, section or setting, and the nearest known one.
    """
    path = find_named_file("PRESET", name, PRESETS)
    table = read_toml(path)
    description = table.pop("description", "")
    texts = nest(overrides)
    check_sections(str(path), table)
    check_sections(ON_THE_COMMAND_LINE, texts)
    stages: dict[str, Any] = {}
    for section, kind in STAGE_SETTINGS.items():
        in_file = table.get(section, {})
        stages[section] = kind.from_table(in_file, f"{path}, {section}")
        if section in texts:
            where = f"{ON_THE_COMMAND_LINE}, {section}"
            stages[section] = kind.from_table_and_texts(in_file, texts[section], where)
    return Preset(name=path.stem, description=description, **stages)


def check_sections(where: str, sections: dict[str, Any]) -> None:
    """Raise UserError for what stands outside a stage's section."""
    for key, given in sections.items():
        is_known = key in STAGE_SETTINGS
        is_only_a_name = where == ON_THE_COMMAND_LINE and not is_known  # SET="steps=1"
        require(
            isinstance(given, dict) or is_only_a_name,
            f"{where}: {key} = {given!r} stands outside a section such as [pretrain].",
        )
        require(
            is_known,
            f"{where}: unknown section {key!r}.{nearest(key, STAGE_SETTINGS)} A setting is written "
            "stage.setting=value, such as pretrain.steps=200, or stands under [stage] in a file.",
        )


def nest(overrides: dict[str, str]) -> dict[str, Any]:
    """{"klue.epochs.nli": "4"} as {"klue": {"epochs": {"nli": "4"}}}."""
    nested: dict[str, Any] = {}
    for key, text in overrides.items():
        *sections, setting = key.split(".")
        place = nested
        for section in sections:
            place = place.setdefault(section, {})
            if not isinstance(place, dict):
                raise UserError(f"{key}={text}: {section} is a setting, which holds none.")
        place[setting] = text
    return nested
