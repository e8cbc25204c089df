"""Settings: one frozen dataclass a stage, named sets of them in presets/*.toml, and key=value overrides.

`make settings` shows them. Only the standard library is imported here.
"""
from dataclasses import dataclass, fields
from pathlib import Path

from corpora import UserError, from_table, nearest, read_toml, setting

PRESETS = Path(__file__).parent / "presets"


@dataclass(frozen=True)
class CorpusSettings:
    recipe: str = setting("sample", "Name of a recipe in corpora/recipes, or path of a .toml file of your own.")


@dataclass(frozen=True)
class TokenizerSettings:
    model_type: str = setting("bpe", "SentencePiece model: bpe or unigram.", among=("bpe", "unigram"))
    vocab_size: int = setting(16384,
        "Pieces in all, special tokens and the 256 bytes included; a multiple of 128.", least=512)
    morphemes: str = setting("mecab",
        "KoNLPy analyser whose morpheme boundaries no piece may cross in training: mecab, okt or none.",
        among=("mecab", "okt", "none"))
    character_coverage: float = setting(0.9995,
        "Share of the sample's characters that get a piece of their own; the others are spelt in bytes.",
        least=0.9, most=1)
    sample_bytes: int = setting(40_000_000, "Bytes of training text drawn for SentencePiece.", least=1)
    seed: int = setting(1, "Seed of the draw.", least=0)
    init: str = setting("",
        "Hugging Face folder (or name@revision on the Hub) whose tokenizer is adopted instead of trained.")


@dataclass(frozen=True)
class TokensSettings:
    pass


@dataclass(frozen=True)
class PretrainSettings:
    layers: int = setting(6, "Transformer blocks.", least=1)
    width: int = setting(256, "Size of the hidden states; a multiple of heads.", least=1)
    heads: int = setting(4, "Attention heads a block.", least=1)
    context: int = setting(256, "Tokens a sequence.", least=2)
    init: str = setting("",
        "Hugging Face folder (or name@revision on the Hub) to continue from, instead of random weights.")
    steps: int = setting(1000, "Optimizer steps.", least=1)
    batch_size: int = setting(16, "Sequences an optimizer step.", least=1)
    micro_batch_size: int = setting(16,
        "Sequences a forward pass; gradients are accumulated up to batch_size.", least=1)
    learning_rate: float = setting(1e-3, "Peak learning rate of AdamW.", least=0, most=1)
    warmup_steps: int = setting(100, "Steps of linear warm-up; a linear decay to zero follows.", least=0)
    weight_decay: float = setting(0.1,
        "Weight decay on matrices (embeddings included); none on biases and norms.", least=0)
    beta2: float = setting(0.95, "Second-moment decay of AdamW.", least=0, most=0.99999)
    clip: float = setting(1.0, "Largest norm of the gradient.", least=0)
    seed: int = setting(1, "Seed of the weights and of the order of the text.", least=0)
    precision: str = setting("auto",
        "auto (bf16 where the hardware has it, else fp32), bf16 or fp32.", among=("auto", "bf16", "fp32"), keyed=False)
    compile: bool = setting(True,
        "Compile the model with torch.compile; worth its start-up from a few minutes of training on.", keyed=False)
    deterministic: bool = setting(True,
        "Deterministic algorithms only, so that a resumed run equals an undisturbed one bit for bit.", keyed=False)
    checkpoint_minutes: float = setting(5.0, "Minutes between checkpoints.", least=0, keyed=False)
    validations: int = setting(8,
        "Times the validation text is scored and samples are written, evenly spread over the steps.",
        least=1, keyed=False)
    log_every: int = setting(10, "Steps between lines in logs/metrics.jsonl.", least=1, keyed=False)
    tensorboard: bool = setting(False, "Also write the metrics for TensorBoard, under logs/tensorboard.", keyed=False)


@dataclass(frozen=True)
class KlueSettings:
    data: str = setting("hub",
        "KLUE: sample (this project's own rows), hub (klue/klue at a pinned revision), or a folder; its content is "
        "keyed.", keyed=False)
    tasks: str = setting("ynat nli sts re", "Tasks to run, separated by spaces.")
    seeds: int = setting(3, "Fine-tuning runs a task, with seeds 1, 2, ...", least=1)
    control: bool = setting(True, "Also fine-tune the random twin: the same model with random weights.")
    epochs_ynat: int = setting(2, "Epochs on YNAT.", least=1)
    epochs_nli: int = setting(2, "Epochs on NLI.", least=1)
    epochs_sts: int = setting(4, "Epochs on STS.", least=1)
    epochs_re: int = setting(2, "Epochs on RE.", least=1)
    batch_size: int = setting(32, "Rows an optimizer step.", least=1)
    learning_rate: float = setting(3e-4, "Peak learning rate of AdamW.", least=0, most=1)
    max_length: int = setting(256, "Longest input in tokens; longer ones are cut.", least=16)
    train_rows: int = setting(0, "Rows of the train split to use, drawn with the seed; 0 is all of them.", least=0)
    model: str = setting("", "Hugging Face folder to evaluate instead of the pretrained model.")


SECTIONS = {"corpus": CorpusSettings, "tokenizer": TokenizerSettings, "tokens": TokensSettings,
            "pretrain": PretrainSettings, "klue": KlueSettings}


@dataclass(frozen=True)
class Preset:
    """Settings of all stages, by stage name."""
    name: str
    stages: dict

    def __getitem__(self, stage: str):
        return self.stages[stage]


def load_preset(name: str, overrides: dict[str, str]) -> Preset:
    """Read presets/NAME.toml (or a .toml path) and apply overrides such as {"pretrain.steps": "200"}.

    Raises UserError that names an unknown preset, section or setting, and the nearest known one.
    """
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
    if section == "pretrain":
        for whole, part in (("batch_size", "micro_batch_size"), ("width", "heads")):
            if getattr(settings, whole) % getattr(settings, part):
                raise UserError(f"pretrain.{whole}={getattr(settings, whole)}: has to be a multiple of pretrain.{part}"
                                f"={getattr(settings, part)}.")
        if settings.warmup_steps >= settings.steps:
            raise UserError(f"pretrain.warmup_steps={settings.warmup_steps}: has to be fewer than pretrain.steps"
                            f"={settings.steps}.")
    return settings


def keyed(settings) -> dict:
    """The settings that change a stage's bytes, as a JSON object."""
    return {f.name: getattr(settings, f.name) for f in fields(settings) if f.metadata.get("keyed", True)}
