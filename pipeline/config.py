"""Settings: one frozen dataclass a stage, named sets of them in presets/*.toml, and key=value overrides.

A field's docstring is its help text (`python -m pipeline settings`). Only the standard library is imported here.
"""
import ast
import difflib
import inspect
import tomllib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from corpora import UserError

PRESETS = Path(__file__).parent / "presets"


def not_keyed(default):
    """A setting that doesn't change what a stage makes, and so stays out of its key."""
    return field(default=default, metadata={"keyed": False})


@dataclass(frozen=True)
class CorpusSettings:
    recipe: str = "sample"
    """Name of a recipe in corpora/recipes, or path of a .toml file of your own."""


@dataclass(frozen=True)
class TokenizerSettings:
    model_type: str = "bpe"
    """SentencePiece model: bpe or unigram."""
    vocab_size: int = 16384
    """Pieces in all, special tokens and the 256 bytes included; a multiple of 128."""
    morphemes: str = "mecab"
    """KoNLPy analyser whose morpheme boundaries no piece may cross in training: mecab, okt or none."""
    character_coverage: float = 0.9995
    """Share of the sample's characters that get a piece of their own; the others are spelt in bytes."""
    sample_bytes: int = 40_000_000
    """Bytes of training text drawn for SentencePiece."""
    seed: int = 1
    """Seed of the draw."""
    init: str = ""
    """Hugging Face folder (or name@revision on the Hub) whose tokenizer is adopted instead of trained."""


@dataclass(frozen=True)
class TokensSettings:
    pass


@dataclass(frozen=True)
class PretrainSettings:
    layers: int = 6
    """Transformer blocks."""
    width: int = 256
    """Size of the hidden states; a multiple of heads."""
    heads: int = 4
    """Attention heads a block."""
    context: int = 256
    """Tokens a sequence."""
    init: str = ""
    """Hugging Face folder (or name@revision on the Hub) to continue from, instead of random weights."""
    steps: int = 1000
    """Optimizer steps."""
    batch_size: int = 16
    """Sequences an optimizer step."""
    micro_batch_size: int = 16
    """Sequences a forward pass; gradients are accumulated up to batch_size."""
    learning_rate: float = 1e-3
    """Peak learning rate of AdamW."""
    warmup_steps: int = 100
    """Steps of linear warm-up; a linear decay to zero follows."""
    weight_decay: float = 0.1
    """Weight decay on matrices (embeddings included); none on biases and norms."""
    beta2: float = 0.95
    """Second-moment decay of AdamW."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    seed: int = 1
    """Seed of the weights and of the order of the text."""
    precision: str = not_keyed("auto")
    """auto (bf16 where the hardware has it, else fp32), bf16 or fp32."""
    compile: bool = not_keyed(True)
    """Compile the model with torch.compile; worth its start-up from a few minutes of training on."""
    deterministic: bool = not_keyed(True)
    """Deterministic algorithms only, so that a resumed run equals an undisturbed one bit for bit."""
    checkpoint_minutes: float = not_keyed(5.0)
    """Minutes between checkpoints."""
    validations: int = not_keyed(8)
    """Times the validation text is scored and samples are written, evenly spread over the steps."""
    log_every: int = not_keyed(10)
    """Steps between lines in logs/metrics.jsonl."""
    tensorboard: bool = not_keyed(False)
    """Also write the metrics for TensorBoard, under logs/tensorboard."""


@dataclass(frozen=True)
class KlueSettings:
    data: str = "hub"
    """KLUE: sample (this project's own rows), hub (klue/klue at a pinned revision), or a folder."""
    tasks: str = "ynat nli sts re"
    """Tasks to run, separated by spaces."""
    seeds: int = 3
    """Fine-tuning runs a task, with seeds 1, 2, ..."""
    control: bool = True
    """Also fine-tune the random twin: the same model with random weights."""
    epochs_ynat: int = 3
    """Epochs on YNAT."""
    epochs_nli: int = 3
    """Epochs on NLI."""
    epochs_sts: int = 5
    """Epochs on STS."""
    epochs_re: int = 3
    """Epochs on RE."""
    batch_size: int = 32
    """Rows an optimizer step."""
    learning_rate: float = 3e-4
    """Peak learning rate of AdamW."""
    max_length: int = 256
    """Longest input in tokens; longer ones are cut."""
    train_rows: int = 0
    """Rows of the train split to use, drawn with the seed; 0 is all of them."""
    model: str = ""
    """Hugging Face folder to evaluate instead of the pretrained model."""


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
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = sorted(preset.stem for preset in PRESETS.glob("*.toml"))
        raise UserError(f"PRESET={name}: no such preset{nearest(name, known)}. There are: {', '.join(known)}; "
                        "a .toml file of your own works too.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not valid TOML: {error}") from None
    table.pop("description", None)
    for key in table:
        if key not in SECTIONS:
            raise UserError(f"{path}: unknown section [{key}]{nearest(key, SECTIONS)}.")
    stages = {}
    for section, kind in SECTIONS.items():
        values = {name: convert(kind, f"{section}.{name}", value, str(path))
                  for name, value in table.get(section, {}).items()}
        stages[section] = kind(**values)
    for key, text in overrides.items():
        section, _, name = key.partition(".")
        if section not in SECTIONS:
            raise UserError(f"{key}={text}: unknown section {section!r}{nearest(section, SECTIONS)}. "
                            "Settings are written stage.setting=value, such as pretrain.steps=200.")
        value = convert(SECTIONS[section], key, text, "the command line")
        stages[section] = replace(stages[section], **{name: value})
    return Preset(path.stem, stages)


def convert(kind: type, key: str, value: object, where: str) -> object:
    """Turn a TOML value, or the text of an override, into the type of the setting."""
    name = key.partition(".")[2]
    types = {f.name: f.type for f in fields(kind)}
    if name not in types:
        raise UserError(f"{where}: unknown setting {key}{nearest(name, types)}.")
    wanted = types[name]
    try:
        if wanted is bool:
            return {"true": True, "1": True, "false": False, "0": False}[str(value).lower()]
        if wanted is int and not isinstance(value, float):
            return int(str(value).replace("_", ""))
        if wanted is float:
            return float(value)
        if wanted is str and isinstance(value, str):
            return value
    except (KeyError, ValueError):
        pass
    raise UserError(f"{where}: {key}={value}: expected {wanted.__name__}.")


def nearest(word: str, known) -> str:
    match = difflib.get_close_matches(word, list(known), 1)
    return f" (did you mean {match[0]}?)" if match else ""


def keyed(settings) -> dict:
    """The settings that change a stage's bytes, as a JSON object."""
    return {f.name: getattr(settings, f.name) for f in fields(settings) if f.metadata.get("keyed", True)}


def describe(kind: type) -> dict[str, str]:
    """Help text of every setting: the docstring that follows its field."""
    body = ast.parse(inspect.getsource(kind)).body[0].body
    texts = {}
    for statement, following in zip(body, body[1:]):
        if isinstance(statement, ast.AnnAssign) and isinstance(following, ast.Expr):
            texts[statement.target.id] = following.value.value
    return texts
