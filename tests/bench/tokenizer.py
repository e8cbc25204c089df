"""The tokenizer's and the tokens stage's speed and memory, beside sentencepiece called by hand on
the same text.

    python -m tests.bench.tokenizer MEASUREMENT CORPUS [TOKENIZER]     one measurement, in seconds
"""

import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet
import sentencepiece

from corpora.contamination import DECONTAMINATED
from corpora.errors import require
from corpora.recipe import RECIPE_FILE
from corpora.tasks.task import SPLITS
from pipeline.artifacts.store import find_linked
from pipeline.executors import Context
from pipeline.presets import Preset
from pipeline.settings import TokensSettings
from pipeline.stages import tokens
from pipeline.stages.corpus_texts import files_by_source, read_texts
from tests.bench.child import running
from tokenizer.sample import draw_sample
from tokenizer.train import train_model
from tokenizer.training_lines import MAX_LINE, write_lines

SAMPLE_BYTES = 200_000_000
VOCAB_SIZE = 32_768
COVERAGE = 0.9995
CORES = 2
ROUNDS = 3


class Measured(NamedTuple):
    """What one measurement, in a process of its own, took."""

    seconds: float
    peak_mb: int  # that the process and its children held together


def draw(corpus: Path) -> list[str]:
    """The documents to train on."""
    return draw_sample(read_texts(sorted((corpus / "train").glob("*.parquet"))), SAMPLE_BYTES, 1)


def train_with_morphemes(corpus: Path) -> None:
    """From the corpus on: drawing the sample, MeCab, SentencePiece."""
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "lines"
        write_lines(draw(corpus), lines, "mecab", CORES)
        train(lines)


def train(lines: Path) -> None:
    """SentencePiece as this project calls it."""
    train_model(lines, "bpe", VOCAB_SIZE, COVERAGE)


def train_by_hand(lines: Path) -> None:
    """The same file, the options that shape the pieces, as many threads as sentencepiece takes by
    itself."""
    sentencepiece.SentencePieceTrainer.train(
        input=str(lines),
        model_writer=io.BytesIO(),
        model_type="bpe",
        vocab_size=VOCAB_SIZE,
        character_coverage=COVERAGE,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        add_dummy_prefix=False,
        byte_fallback=True,
        allow_whitespace_only_pieces=True,
        max_sentence_length=8 * MAX_LINE,
        minloglevel=2,
    )


def encode(corpus: Path, tokenizer: Path) -> None:
    """The tokens stage, from Parquet to arrays on disk."""
    inputs = {"corpus": corpus, "tokenizer": tokenizer}
    with tempfile.TemporaryDirectory() as folder:
        tokens.run(TokensSettings(), inputs, Path(folder), Context(workers=CORES))


def encode_by_hand(corpus: Path, tokenizer: Path) -> None:
    """What a script does: read each Parquet file, encode its texts with sentencepiece's threads,
    save the ids."""
    model = tokenizer / "sentencepiece.model"
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    end = [processor.eos_id()]
    paths = [path for split in SPLITS for path in sorted((corpus / split).glob("*.parquet"))]
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            texts = pyarrow.parquet.read_table(path, columns=["text"])["text"].to_pylist()
            encoded = processor.encode(texts, num_threads=CORES)
            arrays = [np.array(ids + end, np.uint16) for ids in encoded]
            name = f"{path.parent.name}-{path.stem}.npy"
            np.save(Path(folder) / name, np.concatenate(arrays))


MEASUREMENTS: dict[str, Callable[..., None]] = {
    "train-with-morphemes": train_with_morphemes,
    "train": train,
    "train-by-hand": train_by_hand,
    "encode": encode,
    "encode-by-hand": encode_by_hand,
}


def measure(name: str, *paths: Path) -> Measured:
    """Run one of MEASUREMENTS in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.tokenizer", name, *map(str, paths)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    peak_bytes = 0
    with running(command, stdout=subprocess.PIPE, env=environment) as process:
        while process.poll() is None:
            peak_bytes = max(peak_bytes, resident_bytes(process.pid))
            time.sleep(0.1)
        if process.returncode:
            raise SystemExit(f"{name} failed.")
        *_, seconds = process.stdout.read().splitlines()
    return Measured(float(seconds), peak_bytes >> 20)


def resident_bytes(pid: int) -> int:
    """Of a process and all below it; what they share counts more than once. Linux only."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [
            int(child) for task in tasks for child in (task / "children").read_text().split()
        ]
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it has just ended
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(map(resident_bytes, children))


def compare(ours: str, by_hand: str, megabytes: float, *paths: Path) -> None:
    """Measure both in turns and print their medians and ratio."""
    runs: dict[str, list[Measured]] = {ours: [], by_hand: []}
    for _ in range(ROUNDS):
        for name, found in runs.items():
            found.append(measure(name, *paths))
    for name, found in runs.items():
        seconds = statistics.median(run.seconds for run in found)
        peak = max(run.peak_mb for run in found)
        print(f"  {name:<16} {seconds:6.1f} s, {megabytes / seconds:6.1f} MB/s, {peak:,} MB")
    ratios = [theirs.seconds / mine.seconds for mine, theirs in zip(runs[ours], runs[by_hand])]
    print(
        f"  ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) over "
        f"{ROUNDS} turns",
        flush=True,
    )


def bench(preset: Preset, artifacts: Path) -> None:
    """Measure on the preset's corpus and tokenizer, which have to be there, and print."""
    corpus = find_linked(artifacts, preset.name, "corpus").path
    tokenizer = find_linked(artifacts, preset.name, "tokenizer").path
    report = json.loads((corpus / "report.json").read_text(encoding="utf-8"))
    require(
        report["train"]["bytes"] >= SAMPLE_BYTES,
        f"BENCH=tokenizer draws {SAMPLE_BYTES / 1e6:.0f} MB, and the corpus of "
        f"PRESET={preset.name} has only {report['train']['bytes'] / 1e6:.0f} MB.",
    )
    bench_training(corpus)
    megabytes = sum(report[split]["bytes"] for split in SPLITS) / 1e6
    print(f"tokens, {megabytes:.0f} MB of text, from Parquet to ids on disk, {CORES} cores:")
    compare("encode", "encode-by-hand", megabytes, corpus, tokenizer)
    bench_memory(corpus, tokenizer)


def bench_training(corpus: Path) -> None:
    """Print how long training takes, with morphemes and beside sentencepiece by hand."""
    megabytes = SAMPLE_BYTES / 1e6
    found = measure("train-with-morphemes", corpus)
    print(
        f"tokenizer, BPE of {VOCAB_SIZE:,} pieces from {megabytes:.0f} MB, {CORES} cores:\n"
        "  with MeCab's boundaries, the drawing of the sample included: "
        f"{found.seconds:.0f} s, {found.peak_mb:,} MB",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "lines"
        start = time.perf_counter()
        write_lines(draw(corpus), lines, "none", CORES)
        seconds = time.perf_counter() - start
        print(
            f"  without morphemes: drawing the sample and writing it as lines {seconds:.1f} s, then"
        )
        compare("train", "train-by-hand", megabytes, lines)


def bench_memory(corpus: Path, tokenizer: Path) -> None:
    """Print how much memory a worker needs for one shard, and for all of a source as one shard."""
    largest = max(
        files_by_source(corpus).values(),
        key=lambda paths: sum(path.stat().st_size for path in paths),
    )
    paths = [path for path in largest if path.parent.name == "train"]
    with tempfile.TemporaryDirectory() as folder:
        for number in sorted({1, len(paths)}):
            joined = Path(folder) / str(number)
            megabytes = join_shards(paths[:number], joined)
            peak = measure("encode", joined, tokenizer).peak_mb
            print(f"  one worker on one shard of {megabytes:.0f} MB: {peak:,} MB", flush=True)


def join_shards(paths: list[Path], corpus: Path) -> float:
    """Write a corpus whose one training shard holds the rows of all these; return its MB of
    text."""
    (corpus / "train").mkdir(parents=True)
    (corpus / DECONTAMINATED).write_text("{}")
    (corpus / RECIPE_FILE).write_text("{}")
    sources = [pyarrow.parquet.ParquetFile(path) for path in paths]
    num_bytes = 0
    with pyarrow.parquet.ParquetWriter(
        corpus / "train" / "joined-00000.parquet", sources[0].schema_arrow, compression="zstd"
    ) as writer:
        for file in sources:
            for group in range(file.num_row_groups):
                rows = file.read_row_group(group)
                num_bytes += rows["text"].nbytes
                writer.write_table(rows)
    return num_bytes / 1e6


def main(name: str, *paths: Path) -> None:
    """Run one measurement in this process and print its seconds."""
    start = time.perf_counter()
    MEASUREMENTS[name](*paths)
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:]))
