"""The tokenizer's and the tokens stage's speed and memory, beside sentencepiece called by hand on the same text.

    python -m tests.bench.tokenizer MEASUREMENT CORPUS [TOKENIZER]     one measurement, as a JSON line
"""
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet
import sentencepiece

from corpora.errors import UserError
from pipeline import artifact
from pipeline.executors import Context
from pipeline.settings import SECTIONS
from pipeline.stages import tokens
from pipeline.stages.tokenizer import files_by_source, read_texts
from tokenizer.train import MAX_LINE, draw_sample, train_model, write_lines

SAMPLE_BYTES, VOCAB_SIZE, CORES, ROUNDS = 200_000_000, 32_768, 2, 3


def draw(corpus: Path) -> list[str]:
    return draw_sample(read_texts(sorted((corpus / "train").glob("*.parquet"))), SAMPLE_BYTES, 1)


def with_morphemes(corpus: Path) -> float:
    """From the corpus on: drawing the sample, MeCab, SentencePiece."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "lines"
        write_lines(draw(corpus), lines, "mecab", CORES)
        train_model(lines, "bpe", VOCAB_SIZE, 0.9995)
    return time.perf_counter() - start


def train(lines: Path) -> float:
    start = time.perf_counter()
    train_model(lines, "bpe", VOCAB_SIZE, 0.9995)
    return time.perf_counter() - start


def train_by_hand(lines: Path) -> float:
    """The same file, the options that shape the pieces, as many threads as sentencepiece takes by itself."""
    start = time.perf_counter()
    sentencepiece.SentencePieceTrainer.train(
        input=str(lines), model_writer=io.BytesIO(), model_type="bpe", vocab_size=VOCAB_SIZE, character_coverage=0.9995,
        normalization_rule_name="identity", remove_extra_whitespaces=False, add_dummy_prefix=False, byte_fallback=True,
        allow_whitespace_only_pieces=True, max_sentence_length=8 * MAX_LINE, minloglevel=2)
    return time.perf_counter() - start


def encode(corpus: Path, tokenizer: Path) -> float:
    """The tokens stage, from Parquet to arrays on disk."""
    with tempfile.TemporaryDirectory() as folder:
        context = Context(workers=CORES)
        start = time.perf_counter()
        tokens.run(SECTIONS["tokens"](), {"corpus": corpus, "tokenizer": tokenizer}, Path(folder), context)
        return time.perf_counter() - start


def encode_by_hand(corpus: Path, tokenizer: Path) -> float:
    """What a script does: read each Parquet file, encode its texts with sentencepiece's threads, save the ids."""
    start = time.perf_counter()
    processor = sentencepiece.SentencePieceProcessor(model_file=str(tokenizer / "sentencepiece.model"))
    end = [processor.eos_id()]
    with tempfile.TemporaryDirectory() as folder:
        for path in [path for split in tokens.SPLITS for path in sorted((corpus / split).glob("*.parquet"))]:
            texts = pyarrow.parquet.read_table(path, columns=["text"])["text"].to_pylist()
            ids = [np.array(ids + end, np.uint16) for ids in processor.encode(texts, num_threads=CORES)]
            np.save(Path(folder) / f"{path.parent.name}-{path.stem}.npy", np.concatenate(ids))
    return time.perf_counter() - start


MEASUREMENTS = {function.__name__: function for function in (with_morphemes, train, train_by_hand, encode, encode_by_hand)}


def measure(name: str, *paths) -> tuple[float, int]:
    """Seconds of one measurement in a process of its own, and the most MB that it and its children held together."""
    command = [sys.executable, "-m", "tests.bench.tokenizer", name, *map(str, paths)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}) as process:
        peak = 0
        while process.poll() is None:
            peak = max(peak, resident_bytes(process.pid))
            time.sleep(0.1)
        if process.returncode:
            raise SystemExit(f"{name} failed.")
        return float(process.stdout.read()), peak >> 20


def resident_bytes(pid: int) -> int:
    """Of a process and all below it; what they share counts more than once. Linux only."""
    try:
        children = [int(child) for task in Path(f"/proc/{pid}/task").iterdir()
                    for child in (task / "children").read_text().split()]
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it has just ended
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(map(resident_bytes, children))


def compare(ours: str, by_hand: str, megabytes: float, *paths) -> None:
    """Both in turns."""
    runs = {ours: [], by_hand: []}
    for _ in range(ROUNDS):
        for name, found in runs.items():
            found.append(measure(name, *paths))
    for name, found in runs.items():
        seconds = statistics.median(seconds for seconds, _ in found)
        print(f"  {name:<16} {seconds:6.1f} s, {megabytes / seconds:6.1f} MB/s, {max(peak for _, peak in found):,} MB")
    ratios = [theirs / mine for (mine, _), (theirs, _) in zip(*runs.values())]
    print(f"  ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) over {ROUNDS} turns", flush=True)


def join_shards(paths: list[Path], folder: Path) -> tuple[Path, float]:
    """A corpus whose one training shard holds the rows of all these, and its MB of text."""
    (folder / "train").mkdir(parents=True)
    sources = [pyarrow.parquet.ParquetFile(path) for path in paths]
    num_bytes = 0
    with pyarrow.parquet.ParquetWriter(folder / "train" / "joined-00000.parquet", sources[0].schema_arrow,
                                       compression="zstd") as writer:
        for file in sources:
            for group in range(file.num_row_groups):
                rows = file.read_row_group(group)
                num_bytes += rows["text"].nbytes
                writer.write_table(rows)
    (folder / tokens.DECONTAMINATED).write_text("{}")
    return folder, num_bytes / 1e6


def bench(arguments, preset) -> None:
    corpus, tokenizer = (artifact.linked(arguments.artifacts, preset.name, stage).path for stage in ("corpus", "tokenizer"))
    report = json.loads((corpus / "report.json").read_text(encoding="utf-8"))
    megabytes = SAMPLE_BYTES / 1e6
    if report["train"]["bytes"] < SAMPLE_BYTES:
        raise UserError(f"BENCH=tokenizer draws {megabytes:.0f} MB, and the corpus of PRESET={preset.name} has only "
                        f"{report['train']['bytes'] / 1e6:.0f} MB.")
    seconds, peak = measure("with_morphemes", corpus)
    print(f"tokenizer, BPE of {VOCAB_SIZE:,} pieces from {megabytes:.0f} MB, {CORES} cores:\n"
          f"  with MeCab's boundaries, the drawing of the sample included: {seconds:.0f} s, {peak:,} MB", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "lines"
        start = time.perf_counter()
        write_lines(draw(corpus), lines, "none", CORES)
        print(f"  without morphemes: drawing the sample and writing it as lines {time.perf_counter() - start:.1f} s, then")
        compare("train", "train_by_hand", megabytes, lines)
    megabytes = sum(report[split]["bytes"] for split in tokens.SPLITS) / 1e6
    print(f"tokens, {megabytes:.0f} MB of text, from Parquet to ids on disk, {CORES} cores:")
    compare("encode", "encode_by_hand", megabytes, corpus, tokenizer)
    with tempfile.TemporaryDirectory() as folder:
        paths = max(files_by_source(corpus).values(), key=lambda paths: sum(path.stat().st_size for path in paths))
        paths = [path for path in paths if path.parent.name == "train"]
        for number in (1, len(paths)):
            joined, megabytes = join_shards(paths[:number], Path(folder) / str(number))
            print(f"  one worker on one shard of {megabytes:.0f} MB: {measure('encode', joined, tokenizer)[1]:,} MB", flush=True)


if __name__ == "__main__":
    print(MEASUREMENTS[sys.argv[1]](*map(Path, sys.argv[2:])))
