"""Evaluation text left in a finished corpus, searched for by slices, sets and counts alone: no
hash, no array, none of the product's code but the reader of KLUE's rows.

python -m tests.plain_search artifacts/laptop/corpus ../shared/data/klue
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow.dataset

from corpora.tasks.rows import load_rows
from corpora.tasks.task import SPLITS, TASKS

RUN_LETTERS = 13
OVERLAP_SHARE = 0.5


def letters_of(text: str) -> str:
    """Letters and digits in lower case, those outside the basic plane left out."""
    return "".join(
        character.lower()
        for character in text
        if character.isalnum() and len(character.lower()) == 1 and ord(character) < 65536
    )


def runs_of(letters: str, run_letters: int) -> set[str]:
    starts = range(len(letters) - run_letters + 1)
    return {letters[start : start + run_letters] for start in starts}


def search(
    texts: list[str],
    documents: Iterable[str],
    run_letters: int = RUN_LETTERS,
    overlap_share: float = OVERLAP_SHARE,
) -> list[tuple[str, str]]:
    """(document, evaluation text) for every document that holds a share of a text's runs, or that
    is, or has a line that is, a text too short for a run."""
    owners = defaultdict(list)
    num_runs = {}
    short = {}
    for text in set(texts):
        letters = letters_of(text)
        runs = runs_of(letters, run_letters)
        num_runs[text] = len(runs)
        for run in runs:
            owners[run].append(text)
        if letters and not runs:
            short[letters] = text
    found = []
    for document in documents:
        letters = letters_of(document)
        counts = Counter()
        for run in runs_of(letters, run_letters) & owners.keys():
            counts.update(owners[run])
        held = [text for text, count in counts.items() if count >= overlap_share * num_runs[text]]
        lines = {letters, *map(letters_of, document.split("\n"))}
        held += [short[line] for line in lines & short.keys()]
        found += [(document, text) for text in held]
    return found


def evaluation_texts(klue: str) -> list[str]:
    return [
        row[column]
        for task in TASKS.values()
        for row in load_rows(klue, task, "validation")
        for column in task.texts
    ]


def documents_of(corpus: Path) -> Iterator[str]:
    for split in SPLITS:
        files = pyarrow.dataset.dataset(corpus / split)
        for batch in files.to_batches(columns=["text"], batch_size=1000):
            yield from batch["text"].to_pylist()


def main() -> None:
    corpus, klue = sys.argv[1:]
    texts = evaluation_texts(klue)
    hits = search(texts, documents_of(Path(corpus)))
    for document, text in hits[:10]:
        print(repr(text), "in", repr(document[:80]))
    print(f"{len(hits)} of {len(texts)} evaluation texts' places left")
    sys.exit(bool(hits))


if __name__ == "__main__":
    main()
