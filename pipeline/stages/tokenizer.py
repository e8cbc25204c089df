"""Corpus -> a tokenizer on which all libraries agree, or one adopted from another model; and a
report on its quality. How it is trained, exported and judged is in the package tokenizer/."""

import shutil
from pathlib import Path
from typing import Any

from corpora.errors import require
from pipeline.artifacts.manifest import SCRATCH
from pipeline.executors import Context
from pipeline.models.folder import model_folder
from pipeline.reports.render import write_page
from pipeline.reports.tokenizer import write_tokenizer_report
from pipeline.settings import TokenizerSettings
from pipeline.stages.corpus_texts import draw_texts
from tokenizer.export import export
from tokenizer.quality import encoders
from tokenizer.quality.gate import NASTY_STRINGS, check_nasty_strings, find_problem
from tokenizer.quality.report import Report, describe
from tokenizer.train import train_model
from tokenizer.training_lines import write_lines

THIS_TOKENIZER = "this tokenizer"  # in its report


def run(
    settings: TokenizerSettings, inputs: dict[str, Path], folder: Path, context: Context
) -> dict[str, Any]:
    """Train a tokenizer on the corpus, or adopt the one that `settings.init` names; return its
    size and its figures on held-out text."""
    sample, held_out = draw_texts(inputs["corpus"], settings)
    if settings.init:
        report = adopt(settings.init, folder, held_out)
    else:
        lines = folder / SCRATCH / "lines.txt"
        lines.parent.mkdir(exist_ok=True)
        trained_on = write_lines(sample, lines, settings.morphemes, context.workers)
        del sample  # SentencePiece needs the memory
        model = train_model(
            lines,
            settings.model_type,
            settings.vocab_size,
            settings.character_coverage,
            settings.superwords,
            split_by_unicode_script=settings.split_by_unicode_script,
            split_digits=settings.split_digits,
            treat_whitespace_as_suffix=settings.treat_whitespace_as_suffix,
        )
        export(model, folder)
        report = judge(folder, held_out)
        report["trained_on"] = trained_on
    write_tokenizer_report(folder, [report])
    write_page(
        folder / "README.md",
        "tokenizer",
        settings=settings,
        report=report,
        nasty_strings=len(NASTY_STRINGS),
    )
    return {"vocab_size": report["vocab_size"], "held_out": report["all"]}


def judge(folder: Path, held_out: dict[str, list[str]]) -> Report:
    """Report on the exported tokenizer; raises UserError unless it passes the gate: all libraries
    agree on all text, and none of it is lost."""
    all_encoders = encoders.open_encoders(folder)
    check_nasty_strings(all_encoders)
    report = describe(THIS_TOKENIZER, all_encoders, held_out)
    found = report["all"]
    require(
        not found["problems"],
        f"tokenizer gate: {found['problems']} of {found['documents']} held-out documents fail. "
        f"The first: {found['first_problem']}",
    )
    return report


def adopt(name: str, folder: Path, held_out: dict[str, list[str]]) -> Report:
    """Save another model's tokenizer as it is; what it loses is reported, not refused.

    `name` is a folder, or name@commit on the Hub. Raises UserError if it is no fast tokenizer, or
    has no token for the end of a document.
    """
    source = model_folder(name, weights=False)
    tokenizer = encoders.load_fast(source)
    require(
        tokenizer.eos_token_id is not None,
        f'INIT={name}: has no end-of-text token. Name one as "eos_token" in its '
        "tokenizer_config.json.",
    )
    tokenizer.save_pretrained(folder)
    model = source / "sentencepiece.model"
    if model.is_file():  # made by this project: it encodes a corpus faster
        both = [encoders.from_sentencepiece(model), encoders.from_transformers(tokenizer, name)]
        if not any(find_problem(text, both) for text in NASTY_STRINGS):
            shutil.copyfile(model, folder / model.name)
    encoder = encoders.from_transformers(tokenizer, name, split_special_tokens=True)
    report = describe(THIS_TOKENIZER, [encoder], held_out)
    report["nasty_strings_lost"] = [
        text[:40] for text in NASTY_STRINGS if find_problem(text, [encoder])
    ]
    return report
