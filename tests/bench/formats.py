"""Reading the large files that people have, on one core, each in a process of its own: a JSON
array, a nested object as 모두의 말뭉치 ships it, and Wikipedia's dump, beside the same text as
lines.

The files are made of the recipe's Wikipedia; the dump's markup is woven in here.

python -m tests.bench.formats FILE SETTINGS_AS_JSON     one measurement, as a JSON line
"""

import bz2
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from corpora.recipe import Source, load_recipe
from corpora.sources.read import read_file
from corpora.sources.shards import source_files
from corpora.sources.streams import open_stream
from pipeline.artifacts.manifest import peak_memory_mb
from tests.bench.corpus import RECIPE, SOURCE, run_once

TEXT_BYTES = 200_000_000
DUMP_BYTES = 50_000_000
"""Of text; the markup makes twice as much of it."""
LINK_EVERY = 8  # words
INFOBOX = "{{정보상자\n| 이름 = %s\n| 그림 = [[파일:a.jpg|섬네일]]\n}}\n"
NOTE = "<ref>{{웹 인용|제목=%s|url=https://example.org/a|날짜=2020-01-01}}</ref>"
TABLE = '\n{| class="wikitable"\n! 해 !! 값\n|-\n| 2001 || 3\n|}\n[[분류:%s]]'
HEAD = '<mediawiki xml:lang="ko"><siteinfo><sitename>위키백과</sitename></siteinfo>\n'
PAGE = (
    "<page><title>{title}</title><ns>0</ns><id>{number}</id><revision><id>1</id>"
    '<model>wikitext</model><format>text/x-wiki</format><text xml:space="preserve">{text}</text>'
    "</revision></page>\n"
)
PATHS = {"text": "document[].paragraph[].form", "title": "document[].metadata.title"}


def read_articles(data: Path, num_bytes: int) -> Iterator[tuple[str, str]]:
    """Yield titles and texts until there are so many bytes of text."""
    (source,) = (source for source in load_recipe(RECIPE).source if source.name == SOURCE)
    for path, _ in source_files(source, data):
        with open_stream(path) as lines:
            for line in lines:
                if num_bytes < 0:
                    return
                title, _, text = json.loads(line)["text"].partition("\n")
                num_bytes -= len(text.encode())
                yield title, text


def write_lines(path: Path, articles: Iterator[tuple[str, str]]) -> None:
    """Write an object a line."""
    with open(path, "w", encoding="utf-8") as file:
        for title, text in articles:
            file.write(json.dumps({"title": title, "text": text}, ensure_ascii=False) + "\n")


def write_array(path: Path, articles: Iterator[tuple[str, str]]) -> None:
    """Write one array on one line."""
    separator = "["
    with open(path, "w", encoding="utf-8") as file:
        for title, text in articles:
            row = json.dumps({"title": title, "text": text}, ensure_ascii=False)
            file.write(separator + row)
            separator = ", "
        file.write("]")


def write_nested(path: Path, articles: Iterator[tuple[str, str]]) -> None:
    """Write one object over many lines, with a list of documents that have lists of paragraphs."""
    separator = '{\n "id": "N", "metadata": {},\n "document": ['
    with open(path, "w", encoding="utf-8") as file:
        for title, text in articles:
            paragraphs = [{"form": line} for line in text.split("\n") if line]
            row = {"metadata": {"title": title}, "paragraph": paragraphs}
            file.write(f"{separator}\n{json.dumps(row, ensure_ascii=False, indent=1)}")
            separator = ","
        file.write("]}")


def write_dump(path: Path, articles: Iterator[tuple[str, str]]) -> None:
    """Write a dump of MediaWiki's shape."""
    with bz2.open(path, "wt", compresslevel=1, encoding="utf-8") as file:
        file.write(HEAD)
        for number, (title, text) in enumerate(articles):
            marked = escape(add_markup(title, text))
            file.write(PAGE.format(title=escape(title), number=number, text=marked))
        file.write("</mediawiki>\n")


def add_markup(title: str, text: str) -> str:
    """The text with an infobox, links, notes, a table and a category."""
    lines = [f"{add_links(line)}{NOTE % title}" for line in text.split("\n") if line]
    return INFOBOX % title + f"'''{title}'''는 " + "\n\n".join(lines) + TABLE % title


def add_links(line: str) -> str:
    """The line with every so many words a link."""
    words = line.split(" ")
    for at in range(0, len(words), LINK_EVERY):
        words[at] = f"[[{words[at]} 문서|{words[at]}]]"
    return " ".join(words)


def measure(path: Path, settings: dict[str, Any]) -> dict[str, float]:
    """Read a file to its end in this process."""
    source = Source(
        name="bench", kind="files", licence="-", paths=(path.name,), title="title"
    ).model_copy(update=settings)
    start = time.perf_counter()
    num_bytes = 0
    num_documents = 0
    for record in read_file(source, path, path.name):
        num_bytes += len(record.text.encode())
        num_documents += not record.reason
    return {
        "seconds": time.perf_counter() - start,
        "megabytes": num_bytes / 1e6,
        "documents": num_documents,
        "peak_memory_mb": peak_memory_mb(),
    }


def bench(data: Path, out: Path) -> None:
    """Print speed and memory of each format; the files, 1 GB, are written under `out`."""
    out.mkdir(parents=True, exist_ok=True)
    makers = {
        "lines.jsonl": (write_lines, TEXT_BYTES, {}),
        "array.json": (write_array, TEXT_BYTES, {}),
        "nested.json": (write_nested, TEXT_BYTES, PATHS),
        "dump.xml.bz2": (write_dump, DUMP_BYTES, {}),
    }
    for name, (write, num_bytes, settings) in makers.items():
        path = out / name
        if not path.exists():
            temporary = out / f"{name}.tmp"
            write(temporary, read_articles(data, num_bytes))
            temporary.rename(path)
        run = run_once([sys.executable, "-m", "tests.bench.formats", path, json.dumps(settings)])
        print(
            f"{name}: {run['documents']:,} documents, {run['megabytes']:.0f} MB of text, file of "
            f"{path.stat().st_size / 1e6:.0f} MB, {run['megabytes'] / run['seconds']:.1f} MB/s of "
            f"text, {run['peak_memory_mb']:.0f} MB at the peak",
            flush=True,
        )


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), json.loads(sys.argv[2]))))
