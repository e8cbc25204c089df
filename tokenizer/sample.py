"""Which documents a tokenizer is trained on. How they become lines for the trainer is in
training_lines.py."""

from collections.abc import Iterable
from hashlib import blake2b
from heapq import heappop, heappush
from typing import NamedTuple


class _Drawn(NamedTuple):
    """A document of the sample, as it stands in a heap: the first to go is on top."""

    negative_rank: int
    num_bytes: int
    text: str


def draw_sample(documents: Iterable[str], num_bytes: int, seed: int) -> list[str]:
    """Draw whole documents at random until they hold `num_bytes` of UTF-8, or there are no more.

    A document's hash under `seed` is its rank, so the result depends on the documents and the seed
    alone, not on order, shards or process (SentencePiece's own `input_sentence_size` differs from
    run to run). No more than the sample is held in memory.
    """
    key = seed.to_bytes(8, "little", signed=True)
    drawn: list[_Drawn] = []
    num_drawn_bytes = 0
    for text in documents:
        data = text.encode()
        rank = int.from_bytes(blake2b(data, digest_size=16, key=key).digest())
        heappush(drawn, _Drawn(-rank, len(data), text))
        num_drawn_bytes += len(data)
        while num_drawn_bytes - drawn[0].num_bytes >= num_bytes:
            num_drawn_bytes -= heappop(drawn).num_bytes
    return [document.text for document in sorted(drawn, reverse=True)]
