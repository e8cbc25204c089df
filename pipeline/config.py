"""Settings: one frozen dataclass a stage (settings.toml says what it holds), named sets of them in presets/*.toml, and
key=value overrides. Only the standard library is imported here."""
from dataclasses import dataclass, fields
from pathlib import Path

from corpora import UserError, from_table, nearest, read_toml, settings_class

PRESETS = Path(__file__).parent / "presets"
SECTIONS = {section: settings_class(f"{section.title()}Settings", __name__, rows)
            for section, rows in read_toml(Path(__file__).with_name("settings.toml")).items()}


@dataclass(frozen=True)
class Preset:
    """Settings of all stages, by stage name."""
    name: str
    stages: dict

    def __getitem__(self, stage: str):
        return self.stages[stage]


def load_preset(name: str, overrides: dict[str, str]) -> Preset:
    """Read presets/NAME.toml (or a .toml path) and apply overrides such as {"pretrain.steps": "200"}. Raises UserError
    that names an unknown preset, section or setting, and the nearest known one."""
    path = Path(name) if name.endswith(".toml") else PRESETS / f"{name}.toml"
    try:
        table = read_toml(path)
    except FileNotFoundError:
        known = sorted(preset.stem for preset in PRESETS.glob("*.toml"))
        raise UserError(f"PRESET={name}: no such preset.{nearest(name, known)} There are: {', '.join(known)}; "
                        "a .toml file of your own works too.") from None
    table.pop("description", None)
    for key, values in table.items():
        if not isinstance(values, dict):
            raise UserError(f"{path}: {key} = {values!r} stands outside a section such as [pretrain].")
        if key not in SECTIONS:
            raise UserError(f"{path}: unknown section [{key}].{nearest(key, list(SECTIONS))}")
    typed = {section: {} for section in SECTIONS}
    for key, text in overrides.items():
        section, _, name = key.partition(".")
        if section not in SECTIONS:
            raise UserError(f"{key}={text}: unknown section {section!r}.{nearest(section, list(SECTIONS))} "
                            "Settings are written stage.setting=value, such as pretrain.steps=200.")
        typed[section][name] = text
    stages = {}
    for section, kind in SECTIONS.items():
        preset = table.get(section, {})
        from_table(kind, preset, f"{path}, [{section}]")  # so that an error tells the file's settings from typed ones
        from_table(kind, typed[section], f"the command line, {section}")
        stages[section] = check(section, from_table(kind, preset | typed[section], section))
    return Preset(path.stem, stages)


def check(section: str, settings):
    """The settings as they are; raises UserError for two that don't go together."""
    if section == "tokenizer" and settings.vocab_size % 128:
        raise UserError(f"tokenizer.vocab_size={settings.vocab_size}: has to be a multiple of 128, special tokens "
                        "included.")
    if section == "tokenizer" and settings.superwords and settings.model_type != "bpe":
        raise UserError(f"tokenizer.superwords={settings.superwords}: only tokenizer.model_type=bpe has them.")
    if section == "pretrain":
        for whole, part in (("batch_size", "micro_batch_size"), ("width", "heads")):
            dividend, divisor = getattr(settings, whole), getattr(settings, part)
            if dividend % divisor:
                raise UserError(f"pretrain.{whole}={dividend}: has to be a multiple of pretrain.{part}={divisor}.")
        if settings.warmup_steps >= settings.steps:
            raise UserError(f"pretrain.warmup_steps={settings.warmup_steps}: has to be fewer than pretrain.steps"
                            f"={settings.steps}.")
    return settings


def keyed(settings) -> dict:
    """The settings that change a stage's bytes, as a JSON object."""
    return {f.name: getattr(settings, f.name) for f in fields(settings) if f.metadata.get("keyed", True)}
