"""Token shards as one long stream, and the batches drawn from it. A batch is a function of the seed
and the step alone, so a resumed run sees what an undisturbed one would have seen."""

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from corpora.errors import require
from pipeline.artifacts.files import read_json
from pipeline.models.masking import IGNORED, Vocabulary, hide_words


class TokenStream:
    """All shards of one split in the order of index.json, memory-mapped, read as if they were one
    array."""

    def __init__(self, folder: Path, split: str) -> None:
        index = read_json(folder / "index.json")
        self.vocab_size: int = index["vocab_size"]
        self.end_token_id: int = index["end_token_id"]
        entries = [shard for shard in index["shards"] if shard["split"] == split]
        require(
            entries,
            f"{folder}: no {split} tokens. The corpus is too small: give the recipe more text.",
        )
        self.shards = [
            np.load(folder / shard["file"], mmap_mode="r", allow_pickle=False) for shard in entries
        ]
        self.ends = np.cumsum([len(shard) for shard in self.shards], dtype=np.int64)
        self.num_bytes: int = sum(shard["bytes"] for shard in entries)  # of the text

    def __len__(self) -> int:
        return int(self.ends[-1])

    def read(self, start: int, length: int) -> np.ndarray:
        """Tokens start .. start + length as int64 (length,); a window may cross shards."""
        parts = []
        while length > 0:
            number = np.searchsorted(self.ends, start, side="right")
            from_the_end = start - self.ends[number]  # negative
            part = self.shards[number][from_the_end:][:length]
            parts.append(part)
            start += len(part)
            length -= len(part)
        return np.concatenate(parts).astype(np.int64)


class Hiding:
    """Which steps of a run predict hidden words, and which words these are: functions of the seed,
    the step and the row alone, as the batches are."""

    def __init__(self, vocabulary: Vocabulary, share: float, rate: float, seed: int) -> None:
        """`share` of the steps hide, each `rate` of its words."""
        self.vocabulary = vocabulary
        self.share = share
        self.rate = rate
        self.seed = seed

    def is_in(self, step: int) -> bool:
        """Whether this step predicts hidden words: at equal distances."""
        return int((step + 1) * self.share) > int(step * self.share)

    def hide(self, ids_BT: torch.Tensor, step: int, first_row: int) -> torch.Tensor:
        """Pack the ids (B, T) of the rows of a step's batch from `first_row` on."""
        seeds = [[self.seed, step, first_row + row] for row in range(len(ids_BT))]
        return hide_words(ids_BT, self.vocabulary, self.rate, seeds)


class TrainingBatches:
    """Every window of the stream once an epoch, in an order drawn from the seed and the epoch.

    Each epoch cuts the stream at another offset, so that repeated text doesn't come in the same
    windows. In the steps that `hiding` says words are hidden. Raises UserError for a stream that is
    too short.
    """

    def __init__(
        self,
        stream: TokenStream,
        context: int,
        batch_size: int,
        seed: int,
        hiding: Hiding | None = None,
    ) -> None:
        self.stream = stream
        self.context = context
        self.batch_size = batch_size
        self.seed = seed
        self.hiding = hiding
        # One context less: room for the offset and the last target.
        self.num_windows = (len(stream) - context) // context
        require(
            self.num_windows > 0,
            f"pretrain.context={context}: the training text has only {len(stream)} tokens. Lower "
            f"pretrain.context, to {len(stream) // 2} at most, or give the recipe more text.",
        )
        self.windows_of = functools.lru_cache(maxsize=1)(self._draw_windows)

    def _draw_windows(self, epoch: int) -> tuple[np.ndarray, int]:
        """The order of an epoch's windows, and the offset of the first."""
        generator = np.random.default_rng([self.seed, epoch])
        offset = int(generator.integers(self.context))
        return generator.permutation(self.num_windows), offset

    def batch(self, step: int, rank: int = 0, world: int = 1) -> torch.Tensor:
        """Token ids (B / world, T + 1) of a step, the rank-th part of its batch: T inputs and, one
        on, T targets; packed ones where words are hidden."""
        num_rows = self.batch_size // world
        first = step * self.batch_size + rank * num_rows
        rows = []
        for sequence in range(first, first + num_rows):
            order, offset = self.windows_of(sequence // self.num_windows)
            window = int(order[sequence % self.num_windows])
            rows.append(self.stream.read(offset + window * self.context, self.context + 1))
        ids_BT = torch.from_numpy(np.stack(rows))
        if self.hiding is None or not self.hides_words(step):
            return ids_BT
        return self.hiding.hide(ids_BT, step, first)

    def hides_words(self, step: int) -> bool:
        """Whether this step's batch predicts hidden words."""
        return self.hiding is not None and self.hiding.is_in(step)


def shorten(ids_BT: torch.Tensor, context: int) -> torch.Tensor:
    """The same tokens in shorter sequences: ids (B, T + 1) as (B * T // context, context + 1)."""
    return ids_BT.unfold(1, context + 1, context).flatten(0, 1)


def validation_batches(
    stream: TokenStream, context: int, batch_size: int, rank: int = 0, world: int = 1
) -> Iterator[torch.Tensor]:
    """Yield ids (B, T + 1) that predict every token of the stream once, the first of all after an
    end token, as in training; targets past its end are -100.

    Each of `world` processes has batches of its own, as many and as large.
    """
    tokens = np.concatenate([[stream.end_token_id], stream.read(0, len(stream))])
    windows_per_round = batch_size * world
    num_rounds = -(-len(stream) // (context * windows_per_round))  # rounded up
    num_windows = num_rounds * windows_per_round
    padding = num_windows * context + 1 - len(tokens)
    padded = np.pad(tokens, (0, padding), constant_values=IGNORED)
    windows = np.lib.stride_tricks.sliding_window_view(padded, context + 1)[::context]
    for start in range(rank * batch_size, num_windows, windows_per_round):
        yield torch.from_numpy(windows[start : start + batch_size].copy())
