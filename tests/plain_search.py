"""Evaluation text left in a finished corpus, searched for by slices, sets and counts alone: no hash, no array, none of
the product's code but the reader of KLUE's rows.

    python -m tests.plain_search artifacts/laptop/corpus ../shared/data/klue
"""
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pyarrow.dataset

from corpora.tasks.rows import load_rows
from corpora.tasks.task import TASKS

LENGTH, SHARE = 13, 0.5


def letters_of(text: str) -> str:
    return "".join(character.lower() for character in text if character.isalnum() and len(character.lower()) == 1
                   and ord(character) < 65536)


def search(texts: list[str], documents) -> list[tuple[str, str]]:
    """(document, evaluation text) for every document that holds SHARE of a text's runs of LENGTH letters, or that is, or has
    a line that is, a shorter text."""
    owners, sizes, short = defaultdict(list), {}, {}
    for text in set(texts):
        letters = letters_of(text)
        runs = {letters[start:start + LENGTH] for start in range(len(letters) - LENGTH + 1)}
        sizes[text] = len(runs)
        for run in runs:
            owners[run].append(text)
        if letters and not runs:
            short[letters] = text
    found = []
    for document in documents:
        letters = letters_of(document)
        counts = Counter()
        for run in {letters[start:start + LENGTH] for start in range(len(letters) - LENGTH + 1)} & owners.keys():
            counts.update(owners[run])
        found += [(document, text) for text, count in counts.items() if count >= SHARE * sizes[text]]
        found += [(document, short[line]) for line in {letters, *map(letters_of, document.split("\n"))} & short.keys()]
    return found


def evaluation_texts(klue: str) -> list[str]:
    return [row[column] for task in TASKS.values() for row in load_rows(klue, task, "validation") for column in task.texts]


def documents_of(corpus: Path):
    for split in ("train", "validation"):
        for batch in pyarrow.dataset.dataset(corpus / split).to_batches(columns=["text"], batch_size=1000):
            yield from batch["text"].to_pylist()


if __name__ == "__main__":
    texts = evaluation_texts(sys.argv[2])
    hits = search(texts, documents_of(Path(sys.argv[1])))
    for document, text in hits[:10]:
        print(repr(text), "in", repr(document[:80]))
    print(f"{len(hits)} of {len(texts)} evaluation texts' places left")
    sys.exit(bool(hits))
