"""A small dump in the shape of MediaWiki's export schema 0.11."""

from xml.sax.saxutils import escape

HEAD = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="0.11" xml:lang="ko">
  <siteinfo>
    <sitename>위키백과</sitename>
    <dbname>kowiki</dbname>
    <case>first-letter</case>
    <namespaces>
      <namespace key="-2" case="first-letter">미디어</namespace>
      <namespace key="0" case="first-letter" />
      <namespace key="1" case="first-letter">토론</namespace>
      <namespace key="6" case="first-letter">자료</namespace>
      <namespace key="14" case="first-letter">갈래</namespace>
    </namespaces>
  </siteinfo>
"""
END = "</mediawiki>\n"


def page(
    title: str, number: int, text: str, namespace: int = 0, redirect: str = "", model="wikitext"
) -> str:
    return f"""  <page>
    <title>{escape(title)}</title>
    <ns>{namespace}</ns>
    <id>{number}</id>
    {f'<redirect title="{redirect}" />' if redirect else ""}
    {revision(number + 1000, text, model)}
  </page>
"""


def revision(number: int, text: str, model: str = "wikitext") -> str:
    return f"""<revision>
      <id>{number}</id>
      <timestamp>2024-01-01T00:00:00Z</timestamp>
      <contributor><username>title</username><id>7</id></contributor>
      <comment>요약 text</comment>
      <model>{model}</model>
      <format>text/x-wiki</format>
      <text bytes="{len(text.encode())}" sha1="a" xml:space="preserve">{escape(text)}</text>
      <sha1>a</sha1>
    </revision>"""


def dump(*pages: str) -> bytes:
    return (HEAD + "".join(pages) + END).encode()
