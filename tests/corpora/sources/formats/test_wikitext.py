"""Of a page's markup stays what a reader reads: sentences, headings, items; and no page takes
long."""

import pytest

from corpora.sources.formats.wikitext import MAX_DEPTH, MAX_SPAN, to_text


@pytest.mark.parametrize(
    "markup, expected",
    [
        # links
        (
            "[[서울]]의 [[서울 지하철|지하철]]을 [[대한민국|'''한국''']]에서",
            "서울의 지하철을 한국에서",
        ),
        ("[[:분류:한국]]과 [[:en:Korea|한국]]", "분류:한국과 한국"),
        ("글[[분류:한국]][[Category:Korea|가]][[ 분류 : 나]]", "글"),
        ("글[[en:Korea]][[zh-min-nan:Tâi-oân]][[simple:A]]", "글"),
        (
            "[[wikt:말|말]]과 [[s:시|시]]와 [[반지의 제왕: 왕의 귀환]]",
            "말과 시와 반지의 제왕: 왕의 귀환",
        ),
        ("[[파일:a.jpg|섬네일|[[서울]]의 모습]]글[[그림:b.png]][[File:c.png|20px]]", "글"),
        ("[https://a.kr/b?c=d 누리집]과 [//a.kr [[서울]]의 글]", "누리집과 서울의 글"),
        ("[https://a.kr/b]글 https://a.kr/c를 보라", "글 를 보라"),
        ("배열 a[0]과 [1]", "배열 a[0]과 [1]"),
        # templates
        ("문학(文學, {{llang|en|literature}})은", "문학(文學, literature)은"),
        ("문학({{lang|zh|文學}}, {{모르는 틀|가}})은", "문학(文學)은"),
        ("문학 ({{음성|a.ogg}})은 ( , )을", "문학은을"),
        ("{{lang-en|Korea}}, {{Lang|en|2=''Seoul''}}", "Korea, Seoul"),
        ("거리는 {{convert|10|km}}이다{{출처|날짜=2020-1-1}}.", "거리는 10 km이다."),
        ("{{인용문|[[나라]]를 {{nowrap|되찾자}}|김구}}", "나라를 되찾자"),
        ("{{정보상자\n| 이름 = {{lang|en|A}}\n| 그림 = [[파일:a.jpg]]\n}}\n글", "글"),
        ("{{#if:a|b}}{{PAGENAME}}{{{1|가}}}글", "글"),
        # elements
        ('글<ref>{{책|a}}</ref><ref name=a /><ref name="b">나</ref>이다', "글이다"),
        ("글<ref name=a/>과 <REF>가</Ref>", "글과"),
        ("<math>a<b</math>글<gallery>\na.jpg|가\n</gallery><!-- 주\n석 -->", "글"),
        ("가<br />나<br>다<div style='a'>라</div>", "가\n나\n다\n라"),
        (
            "H<sub>2</sub>O와 <nowiki>''</nowiki>글과 a < b, vector<int>",
            "H2O와 글과 a < b, vector<int>",
        ),
        ("<syntaxhighlight lang=c>\nint a;\n</syntaxhighlight>\n글", "글"),
        ("<table><tr><td>가</td></tr></table>글", "글"),
        ("AT&amp;T&nbsp;글 &lt;ref&gt;", "AT&T 글 <ref>"),
        # lines
        ("== 역사 ==\n글", "역사\n글"),
        ("==역사==\n=== 고대 ===\n글\n== 각주 ==\n{{각주}}", "역사\n고대\n글"),
        ("글\n== 같이 보기 ==\n=== 가 ===\n[[분류:나]]", "글"),
        ("== A == B ==\n글", "A == B\n글"),
        ("* 가\n** 나\n# 다\n: 라\n;마:바", "가\n나\n다\n라\n마:바"),
        ("__목차숨김__\n__NOTOC__글 __init__", "글 __init__"),
        ("'''굵게'''와 ''기울임''과 '''''둘 다'''''", "굵게와 기울임과 둘 다"),
        ("가\n\n\n\n나\n----\n다", "가\n\n나\n\n다"),
        # tables
        ('가\n{| class="a"\n! 나 !! 다\n|-\n| 라\n{|\n| 마\n|}\n|}\n바', "가\n\n바"),
        ("{{틀\n|{|\n|가\n|}\n}}글", "글"),
        ("{{틀|가\n|}}글", "글"),
    ],
)
def test_markup_leaves_the_text_that_is_read(markup, expected):
    assert to_text(markup) == expected


@pytest.mark.parametrize(
    "markup, expected",
    [
        ("{{틀|가 글이다.", "틀|가 글이다."),
        ("[[서울|가 글이다.", "서울|가 글이다."),
        ("가]] 나}} 다", "가 나 다"),
        ("{{가|[[나}} 다", "다"),
        ("가<ref>나\n다", "가나\n다"),
        ("가\n{| class=a\n|-\n| 나\n다", "가\n\n다"),
        ("가<!-- 나", "가"),
        ("[[]]가[[|]]", "가"),
        ("가 [[나\n다 [[라|마]] 바]] 사", "가 나\n다 마 바 사"),
    ],
)
def test_marks_without_their_other_half_take_no_text_along(markup, expected):
    assert to_text(markup) == expected


def test_the_namespaces_that_a_dump_names_are_hidden():
    assert to_text("[[Datei:a.jpg]][[datei:b]]글", frozenset(["datei"])) == "글"


@pytest.mark.parametrize("mark", ["[[a|", "{{lang|en|"])
def test_markup_nested_too_deep_or_too_long_is_an_error(mark):
    closing = "]]" if mark[0] == "[" else "}}"
    deep = MAX_DEPTH + 5
    with pytest.raises(ValueError, match="nested more than 40 deep"):
        to_text(mark * deep + closing * deep)
    with pytest.raises(ValueError, match="of more than 20000 characters"):
        to_text(mark + "가" * MAX_SPAN + "[[나]]" + closing)


@pytest.mark.parametrize(
    "unit",
    ["{{a|b=[[c|", "{{{a|", "<ref>", "[http://a ", "{|\n|-\n", "[[a|", "<b>", "(", ", ", "== a\n"],
)
def test_unclosed_marks_by_the_thousand_are_given_up_at_once(unit, monkeypatch):
    """The parser alone takes up to 43 s for them: here it is given what is closed."""
    given = []
    parse = to_text.__globals__["mwparserfromhell"].parse
    monkeypatch.setattr(
        "mwparserfromhell.parse", lambda text, **k: given.append(len(text)) or parse(text, **k)
    )
    assert isinstance(to_text(unit * (100_000 // len(unit))), str)
    assert sum(given) == 0
