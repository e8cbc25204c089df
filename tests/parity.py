"""The ids of every way to use an exported tokenizer, compared on whole documents and on each of their lines, from all of a
corpus's sources in turn, until there are as many lines as asked for.

    python -m tests.parity artifacts/laptop/tokenizer artifacts/laptop/corpus 1000000
"""
import sys
from itertools import chain, zip_longest
from pathlib import Path

from pipeline.stages.tokenizer import files_by_source, read_texts
from tokenizer.quality import find_problem, open_encoders


def main(tokenizer: Path, corpus: Path, num_lines: int) -> int:
    encoders = open_encoders(tokenizer)
    lines = documents = characters = failures = 0
    sources = [read_texts(paths) for paths in files_by_source(corpus).values()]
    for text in filter(None, chain.from_iterable(zip_longest(*sources))):
        for part in (text, *(text.split("\n") if "\n" in text else ())):
            if problem := find_problem(part, encoders):
                failures += 1
                print(problem)
        documents += 1
        lines += text.count("\n") + 1
        characters += len(text)
        if lines >= num_lines:
            break
    print(f"{', '.join(encoder.name for encoder in encoders)}: {documents:,} documents, {lines:,} lines, {characters:,} "
          f"characters; {failures:,} texts differ or don't come back")
    return int(failures > 0 or lines < num_lines)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
