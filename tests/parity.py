"""The ids of every way to use an exported tokenizer, compared on whole documents and on each of
their lines, from all of a corpus's sources in turn, until there are as many lines as asked for.

    python -m tests.parity artifacts/laptop/tokenizer artifacts/laptop/corpus 1000000
"""

import sys
from collections.abc import Iterator
from itertools import chain, zip_longest
from pathlib import Path

from pipeline.stages.corpus_texts import files_by_source, read_texts
from tokenizer.quality.encoders import open_encoders
from tokenizer.quality.gate import find_problem


def documents_in_turn(corpus: Path) -> Iterator[str]:
    """The first document of every source, the second of every source, and so on."""
    sources = [read_texts(paths) for paths in files_by_source(corpus).values()]
    return filter(None, chain.from_iterable(zip_longest(*sources)))


def main(tokenizer: Path, corpus: Path, num_lines: int) -> int:
    """Compare and print; the exit status is 1 if a text differs or there are too few lines."""
    encoders = open_encoders(tokenizer)
    num_documents = 0
    num_characters = 0
    num_failures = 0
    num_lines_seen = 0
    for text in documents_in_turn(corpus):
        lines = text.split("\n")
        parts = [text, *lines] if len(lines) > 1 else [text]
        for part in parts:
            problem = find_problem(part, encoders)
            if problem is not None:
                num_failures += 1
                print(problem)
        num_documents += 1
        num_characters += len(text)
        num_lines_seen += len(lines)
        if num_lines_seen >= num_lines:
            break
    print(
        f"{', '.join(encoder.name for encoder in encoders)}: {num_documents:,} documents, "
        f"{num_lines_seen:,} lines, {num_characters:,} characters; {num_failures:,} texts differ "
        "or don't come back"
    )
    return int(num_failures > 0 or num_lines_seen < num_lines)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
