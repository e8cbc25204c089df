"""What WikiExtractor writes (AA/wiki_00): articles between <doc ...> and </doc> -> documents."""

import html
import re
from typing import Final

from corpora.recipe import Source
from corpora.sources.formats.json_lines import read_json_lines
from corpora.sources.records import MAX_RECORD, TOO_LONG, MaybeRecords, Record, Records, bad_record
from corpora.sources.streams import ByteStream, read_lines

# A title may hold quotes, which WikiExtractor leaves as they are.
START: Final = re.compile(r'<doc id="([^"]*)".*? title="(.*)">\s*')
END: Final = "</doc>"
ESCAPED: Final = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
"""What WikiExtractor writes for these signs of a text, in the order in which they're put back."""


def read_wikiextractor(source: Source, stream: ByteStream, label: str) -> MaybeRecords:
    """Yield the articles, by their titles; of its --json, too, which is an object a line."""
    if stream.peek(1)[:1] == b"{":
        as_json = source.model_copy(update={"text": "text", "title": "title"})
        yield from read_json_lines(as_json, stream, label)
    else:
        yield from _join_articles(read_lines(stream, label))


def _join_articles(lines: Records) -> Records:
    start: Record | None = None  # the line that began the article
    article: list[str] = []
    num_characters = 0
    is_outside_told = False
    for line in lines:
        begins = START.fullmatch(line.text)
        if line.reason:
            yield line
        elif begins:
            if start:
                yield bad_record(start.where, "<doc> without its </doc>", "\n".join(article))
            start = Record(line.where, "", html.unescape(begins[2]))
            article = []
            num_characters = 0
            is_outside_told = False
        elif start and line.text.strip() == END:
            yield _to_record(start, article, num_characters)
            start = None
        elif start:
            num_characters += len(line.text)
            if num_characters <= MAX_RECORD:
                article.append(line.text)
        elif line.text.strip() and not is_outside_told:
            is_outside_told = True  # once for all lines up to the next article
            yield bad_record(line.where, "text outside <doc ...> and </doc>", line.text)
    if start:
        yield bad_record(start.where, "<doc> without its </doc>", "\n".join(article))


def _to_record(start: Record, article: list[str], num_characters: int) -> Record:
    if num_characters > MAX_RECORD:
        return bad_record(start.where, TOO_LONG, "\n".join(article))
    text = "\n".join(article)
    for escaped, sign in ESCAPED:
        text = text.replace(escaped, sign)
    first_line, _, rest = text.strip().partition("\n")
    if first_line.strip() == start.title:
        text = rest
    text = text.strip()
    return Record(start.where, text, start.title if text else "")
