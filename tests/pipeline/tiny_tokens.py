"""Token shards made from a seed, for tests of the parts that know nothing of text."""

import json
from pathlib import Path

import numpy as np

VOCABULARY = 256
END = 3
PAD = 0


def write_tokens(
    folder: Path,
    shards: dict[str, list[int]],
    seed: int = 0,
    vocabulary: int = VOCABULARY,
    first: int = 10,
) -> Path:
    """Write shards of the given lengths for each split, documents of 20 tokens, of 50 kinds from
    `first` on, 3 bytes a token."""
    generator = np.random.default_rng(seed)
    entries = []
    for split, lengths in shards.items():
        (folder / split).mkdir(parents=True)
        for number, length in enumerate(lengths):
            tokens = generator.integers(first, first + 50, length).astype(np.uint16)
            tokens[19::20] = END
            file = f"{split}/{number:05d}.npy"
            np.save(folder / file, tokens)
            entries.append(
                {
                    "split": split,
                    "file": file,
                    "tokens": length,
                    "documents": length // 20,
                    "bytes": 3 * length,
                }
            )
    index = {
        "vocab_size": vocabulary,
        "end_token_id": END,
        "dtype": "uint16",
        "shards": entries,
    }
    (folder / "index.json").write_text(json.dumps(index))
    return folder
