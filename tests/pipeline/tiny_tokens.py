"""Token shards made from a seed, for tests of the parts that know nothing of text."""

import json
from pathlib import Path

import numpy as np

VOCABULARY = 256
END = 3
DOCUMENT = 20  # tokens
BYTES_PER_TOKEN = 3


def write_tokens(folder: Path, shards: dict[str, list[int]], seed: int = 0) -> Path:
    """Write shards of the given lengths, in tokens, for each split."""
    generator = np.random.default_rng(seed)
    entries = []
    for split, lengths in shards.items():
        (folder / split).mkdir(parents=True)
        for number, length in enumerate(lengths):
            tokens = generator.integers(10, 60, length).astype(np.uint16)
            tokens[DOCUMENT - 1 :: DOCUMENT] = END
            np.save(folder / split / f"{number:05d}.npy", tokens)
            entries.append(
                {
                    "split": split,
                    "file": f"{split}/{number:05d}.npy",
                    "tokens": length,
                    "documents": length // DOCUMENT,
                    "bytes": BYTES_PER_TOKEN * length,
                }
            )
    index = {
        "vocab_size": VOCABULARY,
        "end_token_id": END,
        "dtype": "uint16",
        "shards": entries,
    }
    (folder / "index.json").write_text(json.dumps(index))
    return folder
