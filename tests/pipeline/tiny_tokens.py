"""Token shards made from a seed, for tests of the parts that know nothing of text."""
import json
from pathlib import Path

import numpy as np

VOCABULARY, END = 256, 3


def write_tokens(folder: Path, shards: dict[str, list[int]], seed: int = 0) -> Path:
    """Write shards of the given lengths for each split, documents of 20 tokens, 3 bytes a token."""
    generator = np.random.default_rng(seed)
    entries = []
    for split, lengths in shards.items():
        (folder / split).mkdir(parents=True)
        for number, length in enumerate(lengths):
            tokens = generator.integers(10, 60, length).astype(np.uint16)
            tokens[19::20] = END
            np.save(folder / split / f"{number:05d}.npy", tokens)
            entries.append({"split": split, "file": f"{split}/{number:05d}.npy", "tokens": length,
                            "documents": length // 20, "bytes": 3 * length})
    (folder / "index.json").write_text(json.dumps(
        {"vocab_size": VOCABULARY, "end_token_id": END, "dtype": "uint16", "shards": entries}))
    return folder
