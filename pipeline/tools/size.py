"""The product's size in raw lines, and its largest file; fails above the limits that keep it readable."""
import sys
from pathlib import Path

MOST_LINES, MOST_LINES_A_FILE = 5000, 300


def main() -> int:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines())
             for package in ("corpora", "tokenizer", "pipeline") for path in Path(package).rglob("*.py")}
    largest = max(lines, key=lines.get)
    print(f"product: {sum(lines.values())} raw lines of Python in {len(lines)} files; largest: {largest}, {lines[largest]}")
    return int(sum(lines.values()) >= MOST_LINES or lines[largest] > MOST_LINES_A_FILE)


if __name__ == "__main__":
    sys.exit(main())
