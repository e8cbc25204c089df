"""Settings: one frozen dataclass a stage (settings.toml says what it holds), named sets of them in presets/*.toml, and
key=value overrides. Only the standard library is imported here."""
from dataclasses import fields
from pathlib import Path

from corpora import from_table, named_file, nearest, read_toml, require, settings_class

PRESETS = Path(__file__).parent / "presets"
SECTIONS = {section: settings_class(f"{section.title()}Settings", __name__, rows)
            for section, rows in read_toml(Path(__file__).with_name("settings.toml")).items()}


class Preset(dict):
    """Settings of all stages, by stage name; and the preset's own name."""
    def __init__(self, name: str, stages: dict):
        super().__init__(stages)
        self.name = name


def load_preset(name: str, overrides: dict[str, str]) -> Preset:
    """Read presets/NAME.toml (or a .toml path) and apply overrides such as {"pretrain.steps": "200"}. Raises UserError
    that names an unknown preset, section or setting, and the nearest known one."""
    path = named_file("PRESET", name, PRESETS)
    table = read_toml(path)
    table.pop("description", None)
    typed = {}
    for key, text in overrides.items():
        section, _, setting = key.partition(".")
        typed.setdefault(section, {})[setting] = text
    for where, sections in ((path, table), ("the command line", typed)):
        for key, given in sections.items():
            require(isinstance(given, dict), f"{where}: {key} = {given!r} stands outside a section such as [pretrain].")
            require(key in SECTIONS, f"{where}: unknown section {key!r}.{nearest(key, list(SECTIONS))} A setting is "
                    "written stage.setting=value, such as pretrain.steps=200, or stands under [stage] in a file.")
            from_table(SECTIONS[key], given, f"{where}, {key}")  # the file's and typed ones apart, for the message
    stages = {section: check(section, from_table(kind, table.get(section, {}) | typed.get(section, {}), section))
              for section, kind in SECTIONS.items()}
    return Preset(path.stem, stages)


def check(section: str, settings):
    """The settings as they are; raises UserError for two that don't go together."""
    def need(holds: bool, name: str, said: str) -> None:
        require(holds, f"{section}.{name}={getattr(settings, name)}: has to be {said}.")

    if section == "tokenizer":
        need(settings.vocab_size % 128 == 0, "vocab_size", "a multiple of 128, special tokens included")
        most = settings.vocab_size // 2 if settings.model_type == "bpe" else 0
        need(settings.superwords <= most, "superwords", "at most half of vocab_size, and 0 without model_type=bpe")
    if section == "klue":
        heads = set(settings.head.split())
        need(heads and heads <= {"linear", "language", "joint"}, "head", "of linear, language and joint")
    if section == "pretrain":
        for whole, part in (("batch_size", "micro_batch_size"), ("width", "heads")):
            divisor = getattr(settings, part)
            need(getattr(settings, whole) % divisor == 0, whole, f"a multiple of pretrain.{part}={divisor}")
        need(settings.warmup_steps < settings.steps, "warmup_steps", f"fewer than pretrain.steps={settings.steps}")
        need(settings.short_steps < settings.steps, "short_steps", f"fewer than pretrain.steps={settings.steps}")
        quartered = settings.short_steps or settings.architecture == "gpt3"
        need(not (quartered and settings.context % 4), "context", "a multiple of 4 for short_steps and gpt3")
    return settings


def keyed(settings) -> dict:
    """The settings that change a stage's bytes, as a JSON object."""
    return {f.name: getattr(settings, f.name) for f in fields(settings) if f.metadata.get("keyed", True)}
