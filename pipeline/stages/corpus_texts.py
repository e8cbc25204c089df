"""The texts of a finished corpus: by source, and drawn for a tokenizer to be trained on and judged
on."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from corpora.errors import require
from corpora.tasks.task import SPLITS
from pipeline.artifacts.parquet import read_batches
from pipeline.settings import TokenizerSettings
from tokenizer.sample import draw_sample

HELD_OUT_BYTES = 500_000  # of each source


def read_texts(paths: Iterable[Path]) -> Iterator[str]:
    """Yield the texts in a corpus's files, one small batch of rows in memory at a time."""
    for path in paths:
        for batch in read_batches(path, ["text"]):
            yield from batch["text"].to_pylist()


def files_by_source(corpus: Path) -> dict[str, list[Path]]:
    """A corpus's training and validation files, named SOURCE-NUMBER.parquet."""
    paths = sorted(path for split in SPLITS for path in (corpus / split).glob("*.parquet"))
    files: dict[str, list[Path]] = {}
    for path in paths:
        source, _, _ = path.stem.rpartition("-")
        files.setdefault(source, []).append(path)
    return dict(sorted(files.items()))


def draw_texts(corpus: Path, settings: TokenizerSettings) -> tuple[list[str], dict[str, list[str]]]:
    """Draw the documents to train on, and every source's held-out text.

    There are none to train on if a tokenizer is adopted, which was trained elsewhere. Held out is
    up to HELD_OUT_BYTES of a source's text that isn't trained on. Raises UserError if there is none
    of any source.
    """
    training_files = [] if settings.init else sorted((corpus / "train").glob("*.parquet"))
    sample = draw_sample(read_texts(training_files), settings.sample_bytes, settings.seed)
    known = set(sample)
    held_out: dict[str, list[str]] = {}
    for source, paths in files_by_source(corpus).items():
        others = (text for text in read_texts(paths) if text not in known)
        drawn = draw_sample(others, HELD_OUT_BYTES, settings.seed)
        if drawn:
            held_out[source] = drawn
    require(
        held_out,
        "tokenizer gate: no held-out documents. The corpus is too small: give the recipe more "
        "text.",
    )
    return sample, held_out
