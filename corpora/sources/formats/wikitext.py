"""MediaWiki's markup -> the text that a reader of the page sees, without tables, notes and files.

What nests (templates and links) is left to mwparserfromhell. What doesn't is removed before it by
patterns that look at each character once, for two reasons: the parser is several times faster
without it, and unclosed marks make it try again from each of them: it takes 43 s for 30 KB of
`{{a|b=[[c|`, and 4 s for 50 KB of `<ref>`."""

import html
import re
from typing import Final

import mwparserfromhell
from mwparserfromhell.nodes import Node, Template, Wikilink
from mwparserfromhell.wikicode import Wikicode

MAX_DEPTH: Final = 40
"""Templates and links inside each other; pages have up to ten."""
MAX_SPAN: Final = 20_000
"""Characters of one template or link that has text in it."""
HIDDEN_NAMESPACES: Final = frozenset(
    ("file", "image", "media", "category", "파일", "그림", "미디어", "분류")
)
"""Links to these are pictures, or stand at a page's foot."""
SHOWN_PARAMETERS: Final = {
    re.compile(
        "lang-.*|nowrap|nobr|small|작게|big|크게|sub|sup|math|mvar|ipa|ruby|ruby-ja|nihongo|ill|"
        "임시링크|국기|국기나라|flag|flagcountry|인용문|quote"
    ): ("1",),
    re.compile("lang|llang|color|글자색"): ("2",),
    re.compile("convert|변환"): ("1", "2"),
}
"""Templates that are a part of the sentence, by lower-case name, and which of their parameters is
its text. All others show what isn't the article's own text, or nothing, and are dropped."""
_NO_PROSE = (
    "ref|references|math|chem|ce|gallery|timeline|score|graph|imagemap|mapframe|maplink|hiero|"
    "templatestyles|templatedata|syntaxhighlight|source|pre|section|categorytree|inputbox|"
    "indicator|includeonly|table"
)
_BLOCK = "br|p|div|li|ul|ol|dl|dt|dd|tr|td|th|caption|blockquote|hr|center|poem|h[1-6]"
_INLINE = (
    "b|i|u|s|em|strong|small|big|sub|sup|span|font|tt|code|kbd|var|samp|del|ins|strike|abbr|cite|"
    "q|dfn|bdi|bdo|ruby|rb|rp|rt|mark|time|data|wbr|a|img|onlyinclude|noinclude|nowiki"
)
COMMENTS: Final = re.compile(r"<!--.*?(?:-->|\Z)", re.S)
ELEMENTS: Final = re.compile(
    # up to the element's own end, but not over the next one's beginning
    rf"<({_NO_PROSE})\b[^<>]*+(?:(?<=/)>|(?<!/)>[^<]*+(?:<(?!/?\1\b)[^<]*+)*+</\1\s*>)",
    re.I,
)
BLOCK_TAGS: Final = re.compile(rf"</?(?:{_BLOCK})\b[^<>]*+>", re.I)
OTHER_TAGS: Final = re.compile(rf"</?(?:{_INLINE}|{_NO_PROSE})(?:\s[^<>]*+)?/?>", re.I)
TABLE_MARKS: Final = re.compile(r"^[ \t:*#]*\{\||^[ \t]*\|\}(?!\})", re.M)
SWITCHES: Final = re.compile(
    r"__(?:[A-Z]{3,}|목차|목차숨김|목차보임|단락편집숨김|(?:화랑|갤러리|헤더)숨김|숨은분류|색인|"
    r"색인거부|새글쓰기|새글쓰기숨기기|넘겨주기고정)__"
)
ADDRESS: Final = r"(?:https?:|ftp:)?//[^\s\[\]<>\"|{}]+"
LABELLED_ADDRESSES: Final = re.compile(rf"(?<!\[)\[{ADDRESS}[ \t]*((?:[^\[\]\n]|\[\[|\]\])*+)\]")
BARE_ADDRESSES: Final = re.compile(r"\b(?:https?|ftp)://[^\s\[\]<>\"|{}가-힣()]+")
BRACES: Final = re.compile(r"\{{3,}|\}{3,}")
MARKS: Final = re.compile(r"\{\{|\}\}|\[\[|\]\]")
OPENING: Final = {"}}": "{{", "]]": "[["}
INTERLANGUAGE: Final = re.compile(r"(?!(?:mw|voy|doi|rfc):)(?:[a-z]{2,3}(?:-[a-z]+)*|simple):\S")

LEFT_MARKS: Final = re.compile(r"'{2,}|\{\{+|\}\}+|\[\[|\]\]")
HEADING: Final = re.compile(r"\x01(={0,5})(.*)=\1[ \t]*")
LINE_STARTS_EQUAL: Final = re.compile(r"^=", re.M)
LIST_MARKS: Final = re.compile(r"^(?:[*#:;]+[ \t]*|[ \t]+|-{4,})", re.M)
TABLE_STARTS: Final = re.compile(r"^\{\|.*", re.M)
TABLE_LINES: Final = re.compile(r"\s*(?:\||!.*!!)")
PARENTHESES: Final = re.compile(r"[ \t]?([(（])([^()（）]*+)([)）])")
SEPARATORS: Final = " \t\n,;:·/"


def to_text(markup: str, hidden_namespaces: frozenset[str] = HIDDEN_NAMESPACES) -> str:
    """Return a page's text: paragraphs, headings as lines of their own, lists' items as lines.

    `hidden_namespaces` are the lower-case names of those whose links aren't text. Raises ValueError
    for markup that is nested too deep.
    """
    if "<" in markup:
        markup = COMMENTS.sub("", markup)
        markup = ELEMENTS.sub("", markup)
        markup = BLOCK_TAGS.sub("\n", markup)
        markup = OTHER_TAGS.sub("", markup).replace("<", "&lt;")
    markup = _drop_tables(markup)
    if "//" in markup:
        markup = LABELLED_ADDRESSES.sub(r"\1", markup)
        markup = BARE_ADDRESSES.sub("", markup)
    markup = LINE_STARTS_EQUAL.sub("\x01", markup)  # which XML can't hold
    markup = TABLE_STARTS.sub("", LIST_MARKS.sub("", SWITCHES.sub("", markup)))
    markup = _drop_unclosed(BRACES.sub(_pair_braces, markup))
    text = _render_marks(markup, hidden_namespaces)
    text = LEFT_MARKS.sub("", html.unescape(text)).replace("\xa0", " ")
    text = "\n".join(_clean_lines(text))
    text = re.sub(r"[ \t]{2,}", " ", text)
    text = PARENTHESES.sub(_clean_parentheses, text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _drop_tables(markup: str) -> str:
    """Without the tables that are closed, and those inside them."""
    kept: list[str] = []
    end = 0
    starts: list[int] = []
    for mark in TABLE_MARKS.finditer(markup):
        if mark[0].endswith("{|"):
            starts.append(mark.start())
        elif starts:
            start = starts.pop()
            if not starts:
                kept.append(markup[end:start])
                end = mark.end()
    return "".join(kept) + markup[end:]


def _pair_braces(run: re.Match[str]) -> str:
    """Only pairs: three are a template's parameter, which an article has none of."""
    pairs = [run[0][:2]] * (len(run[0]) // 2)
    return (" " if run[0][0] == "{" else "").join(pairs)


def _drop_unclosed(markup: str) -> str:
    """Without the marks of templates and links that lack their other half."""
    waiting: list[re.Match[str]] = []
    num_waiting = {"{{": 0, "[[": 0}
    lone: list[int] = []
    for mark in MARKS.finditer(markup):
        opening = OPENING.get(mark[0])
        if opening is None:
            waiting.append(mark)
            num_waiting[mark[0]] += 1
        elif not num_waiting[opening]:
            lone.append(mark.start())
        else:
            while waiting[-1][0] != opening:
                lone.append(waiting[-1].start())
                num_waiting[waiting.pop()[0]] -= 1
            waiting.pop()
            num_waiting[opening] -= 1
            if len(waiting) > MAX_DEPTH:
                raise ValueError(f"templates or links nested more than {MAX_DEPTH} deep")
    lone += [mark.start() for mark in waiting]
    kept: list[str] = []
    end = 0
    for start in sorted(lone):
        kept.append(markup[end:start])
        end = start + 2
    return " ".join([*kept, markup[end:]])  # a space, lest what stood around it becomes a mark


def _render_marks(markup: str, hidden_namespaces: frozenset[str]) -> str:
    """The text with what its templates and links show; each is parsed by itself."""
    parts: list[str] = []
    end = 0
    start = 0
    depth = 0
    for mark in MARKS.finditer(markup):
        if mark[0] not in OPENING:
            if not depth:
                start = mark.start()
            depth += 1
            continue
        depth -= 1
        if not depth:
            parts.append(markup[end:start])
            end = mark.end()
            parts.append(_render_span(markup[start:end], hidden_namespaces))
    return "".join(parts) + markup[end:]


def _render_span(span: str, hidden_namespaces: frozenset[str]) -> str:
    """What one template or link shows, with those inside it."""
    inside = span[2:-2]
    target, _, label = inside.partition("|")
    if span.startswith("{{"):
        if not _shown_parameters(target):
            return ""
    elif _is_hidden(target, hidden_namespaces):
        return ""
    elif "\n" in target.strip():  # no link, but two halves of others
        return _render_marks(inside, hidden_namespaces)
    elif not MARKS.search(inside):  # most of them: no need to parse it
        return _show_link(target, label)
    if len(span) > MAX_SPAN:
        raise ValueError(f"a template or link of more than {MAX_SPAN} characters")
    return _render(mwparserfromhell.parse(span, skip_style_tags=True), hidden_namespaces)


def _is_hidden(target: str, hidden_namespaces: frozenset[str]) -> bool:
    namespace, colon, _ = target.partition(":")
    return bool(colon) and namespace.strip().lower() in hidden_namespaces


def _show_link(target: str, label: str) -> str:
    if label or INTERLANGUAGE.match(target):
        return label
    return target.strip().removeprefix(":")


def _shown_parameters(template: str) -> tuple[str, ...]:
    name = template.strip().lower()
    return next((shown for names, shown in SHOWN_PARAMETERS.items() if names.fullmatch(name)), ())


def _render(code: Wikicode, hidden_namespaces: frozenset[str]) -> str:
    return "".join(_render_node(node, hidden_namespaces) for node in code.nodes)


def _render_node(node: Node, hidden_namespaces: frozenset[str]) -> str:
    match node:
        case Wikilink():
            if _is_hidden(str(node.title), hidden_namespaces):
                return ""
            label = _render(node.text, hidden_namespaces) if node.text else ""
            return _show_link(_render(node.title, hidden_namespaces), label)
        case Template():
            numbers = _shown_parameters(str(node.name))
            shown = [node.get(number).value for number in numbers if node.has(number)]
            return " ".join(_render(value, hidden_namespaces).strip() for value in shown)
        case _:
            return str(node)


def _clean_lines(text: str) -> list[str]:
    """Lines without the marks of lists and headings, and without headings of nothing."""
    lines: list[str] = []
    headings: list[tuple[int, int]] = []  # levels and places of those that nothing stands under yet
    for line in text.split("\n"):
        heading = HEADING.fullmatch(line)
        if heading and heading[2].strip():
            level = len(heading[1])
            while headings and headings[-1][0] >= level:
                del lines[headings.pop()[1] :]
            headings.append((level, len(lines)))
            lines.append(heading[2].strip())
        elif not TABLE_LINES.match(line):
            lines.append(line.replace("\x01", "=").strip())
            if lines[-1]:
                headings.clear()
    if headings:
        del lines[headings[0][1] :]
    return lines


def _clean_parentheses(match: re.Match[str]) -> str:
    """Without what is left where a template stood: (漢字, ) and ()."""
    inside = match[2].strip(SEPARATORS)
    if not inside:
        return ""
    return match[0] if inside == match[2] else match[0][: -len(match[2]) - 1] + inside + match[3]
