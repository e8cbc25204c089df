"""A dump of MediaWiki, such as Wikipedia's pages-articles.xml.bz2 -> its articles as text. The
markup is wikitext.py's job.

The XML is read by expat as it comes, and no tree is built: memory is that of the longest page. A
document type, the only place where entities can be defined, is refused, so none can be expanded."""

from typing import Final
from xml.parsers import expat

from mwparserfromhell.parser import ParserError

from corpora.errors import UserError, require
from corpora.sources.formats.wikitext import HIDDEN_NAMESPACES, to_text
from corpora.sources.records import MAX_RECORD, TOO_LONG, MaybeRecords, Record, bad_record
from corpora.sources.streams import ByteStream

CHUNK: Final = 1 << 16  # bytes
ARTICLES: Final = "0"
"""The number of the articles' namespace."""
PICTURES_AND_CATEGORIES: Final = ("-2", "6", "14")
PAGE: Final = "mediawiki/page"
NAMESPACE: Final = "mediawiki/siteinfo/namespaces/namespace"
FIELDS: Final = {
    f"{PAGE}/title": "title",
    f"{PAGE}/ns": "namespace",
    f"{PAGE}/id": "id",
    f"{PAGE}/redirect": "redirect",
    f"{PAGE}/revision/model": "model",
    f"{PAGE}/revision/text": "text",
    NAMESPACE: "name",
}


def read_mediawiki(stream: ByteStream, label: str) -> MaybeRecords:
    """Yield a dump's articles, which are told apart by the pages' ids.

    Redirects, other namespaces than the articles', and pages that aren't wikitext are left out. Of
    several revisions the last one counts. Raises UserError for XML that is no dump.
    """
    dump = _Dump(label)
    num_pages = 0
    while True:
        chunk = stream.read(CHUNK)
        dump.parser.Parse(chunk, not chunk)
        num_pages += len(dump.pages)
        for page in dump.pages:
            yield _to_record(label, page, dump.hidden_namespaces)
        dump.pages.clear()
        if not chunk:
            break
    require(num_pages, f"{label}: a dump of MediaWiki without a <page>. Get one with articles.")


class _Dump:
    """What is to be done at each piece of XML; `pages` are those that are complete."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.pages: list[dict[str, str]] = []
        self.hidden_namespaces = HIDDEN_NAMESPACES
        self.parser = expat.ParserCreate("utf-8")  # which every stream is turned into
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse_document_type
        self.parser.StartElementHandler = self._start
        self.parser.CharacterDataHandler = self._add
        self.parser.EndElementHandler = self._end
        self._path: list[str] = []
        self._page: dict[str, str] = {}
        self._attributes: dict[str, str] = {}
        self._field = ""
        self._parts: list[str] = []
        self._num_characters = 0

    def _refuse_document_type(self, name: str, *_: object) -> None:
        raise UserError(
            f"{self.label}: no dump of MediaWiki: it declares a document type, {name}. Set the "
            "source's format, or take the file out of its paths."
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        require(
            self._path or name == "mediawiki",
            f"{self.label}: XML, but no dump of MediaWiki: it begins with <{name}>, not with "
            "<mediawiki>. Save its text as .txt or .jsonl.",
        )
        self._path.append(name)
        self._field = FIELDS.get("/".join(self._path), "")
        self._attributes = attributes
        self._parts.clear()
        self._num_characters = 0

    def _add(self, text: str) -> None:
        if self._field and self._num_characters <= MAX_RECORD:
            self._parts.append(text)
            self._num_characters += len(text)

    def _end(self, _: str) -> None:
        path = "/".join(self._path)
        self._path.pop()
        if self._field:
            self._page[self._field] = "".join(self._parts)
            self._field = ""
        if path == PAGE:
            self.pages.append(self._page)
            self._page = {}
        elif path == NAMESPACE and self._attributes.get("key") in PICTURES_AND_CATEGORIES:
            self.hidden_namespaces |= {self._page["name"].lower()}


def _to_record(label: str, page: dict[str, str], hidden: frozenset[str]) -> Record | None:
    is_article = page.get("namespace", ARTICLES) == ARTICLES and "redirect" not in page
    if not is_article or page.get("model", "wikitext") != "wikitext":
        return None
    where = f"{label}:{page.get('id', '')}"
    markup = page.get("text", "")
    if len(markup) > MAX_RECORD:
        return bad_record(where, TOO_LONG, markup)
    try:
        text = to_text(markup, hidden)
    except (ValueError, ParserError) as error:
        return bad_record(where, f"markup: {error}", markup)
    return Record(where, text, page.get("title", "") if text else "")
