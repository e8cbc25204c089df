"""What counts as personal data and what only looks like it. Every number here is invented."""
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.pii import KINDS, MODES, replace_personal_data

FOUND = [  # a text, and what becomes of it
    # email
    ("자료는 hong.gildong@naver.com으로 보내 주세요.", "자료는 [이메일]으로 보내 주세요."),
    ("메일(abc_123@hanmail.net)을 확인하세요.", "메일([이메일])을 확인하세요."),
    ("문의: help+2024@sub.domain.co.kr.", "문의: [이메일]."),
    ("제 이메일은Kim-Cs@gmail.com입니다", "제 이메일은[이메일]입니다"),
    ("부탁드림..homemc77@hanmail.net", "부탁드림..[이메일]"),
    ("a.very.long.name.of.someone.at.the.office@company.co.kr에게", "[이메일]에게"),
    ("01023456789@nate.com이나 a@b.kr로", "[이메일]이나 [이메일]로"),
    ("mailto:lee@company.or.kr,park@company.or.kr", "mailto:[이메일],[이메일]"),
    ("http://blog.kr/?to=kim@daum.net을 누르면", "http://blog.kr/?to=[이메일]을 누르면"),
    # mobile phones
    ("제 번호는 010-1234-5678입니다.", "제 번호는 [전화번호]입니다."),
    ("연락처 01023456789로 문자 주세요", "연락처 [전화번호]로 문자 주세요"),
    ("010.2345.6789에서 전화가 왔다", "[전화번호]에서 전화가 왔다"),
    ("영화 있으신 분 010 2345 6789 연락한통만요", "영화 있으신 분 [전화번호] 연락한통만요"),
    ("옛 번호 011-234-5678과 016-9876-5432를", "옛 번호 [전화번호]과 [전화번호]를"),
    ("(010)2345-6789로 오세요", "[전화번호]로 오세요"),
    ("(010-2345-6789)으로", "([전화번호])으로"),
    ("010)2345-6789번", "[전화번호]번"),
    ("010 - 2345 - 6789 김철수", "[전화번호] 김철수"),
    ("010–2345–6789는 줄표로 썼다", "[전화번호]는 줄표로 썼다"),
    ("+82-10-2345-6789로 거세요", "[전화번호]로 거세요"),
    ("+82 10 2345 6789", "[전화번호]"),
    ("+821023456789에서", "[전화번호]에서"),
    ("+82-(0)10-2345-6789", "[전화번호]"),
    ("82-10-2345-6789로", "[전화번호]로"),
    ("010-2345-6789/010-3456-7890 중 하나", "[전화번호]/[전화번호] 중 하나"),
    ("2021. 6. 15. 010-2345-6789로 통화", "2021. 6. 15. [전화번호]로 통화"),
    ("홈페이지 http://a.kr/123456789 010-2345-6789", "홈페이지 http://a.kr/123456789 [전화번호]"),
    ("TEL010-2345-6789나 Fax02-736-6990", "TEL[전화번호]나 Fax[전화번호]"),
    ("010-2345-6789 호출하기", "[전화번호] 호출하기"),
    ("017-234-5678님", "[전화번호]님"),
    # landlines and others
    ("전화번호는 02-1234-5678이고", "전화번호는 [전화번호]이고"),
    ("Tel: 02-736-6990", "Tel: [전화번호]"),
    ("(02) 736-6990으로 예약", "[전화번호]으로 예약"),
    ("02)736-6990에 문의", "[전화번호]에 문의"),
    ("부천 032.340.2200에서", "부천 [전화번호]에서"),
    ("제주 064-712-3456까지", "제주 [전화번호]까지"),
    ("사무실 051 456 7890에서는", "사무실 [전화번호]에서는"),
    ("인터넷전화 070-8765-4321로", "인터넷전화 [전화번호]로"),
    ("안심번호 0505-234-5678을", "안심번호 [전화번호]을"),
    ("수신자 부담 080-500-4949에", "수신자 부담 [전화번호]에"),
    ("(telefax) +82-2-3674-6327을", "(telefax) [전화번호]을"),
    ("+82 31 234 5678이다", "[전화번호]이다"),
    ("구할 수 있으면 연락주세요027071764", "구할 수 있으면 연락주세요[전화번호]"),
    ("☎0313456789입니다", "☎[전화번호]입니다"),
    ("팩스 02 34567890으로", "팩스 [전화번호]으로"),
    ("02-736-6990~1번", "[전화번호]~1번"),
    ("대표전화: 031-232-9383-5에", "대표전화: [전화번호]에"),
    # resident and foreigner numbers
    ("주민등록번호는 900101-1234567입니다.", "주민등록번호는 [주민등록번호]입니다."),
    ("홍길동(850229-2123450)은", "홍길동([주민등록번호])은"),
    ("사업자 홍길동 900101-1234567은", "사업자 홍길동 [주민등록번호]은"),
    ("2001년생 011231 - 3123456이", "2001년생 [주민등록번호]이"),
    ("9001011234568을 적었다", "[주민등록번호]을 적었다"),
    ("주민번호 9001011234567을", "주민번호 [주민등록번호]을"),
    ("720615–1098765의 앞자리", "[주민등록번호]의 앞자리"),
    ("주민번호: 880505 9234567이고", "주민번호: [주민등록번호]이고"),
    ("외국인등록번호 900101-5234567로", "외국인등록번호 [외국인등록번호]로"),
    ("020315-7123456번", "[외국인등록번호]번"),
    ("9001015234561을 조회", "[외국인등록번호]을 조회"),
    ("외국인 등록 9001015234567을", "외국인 등록 [외국인등록번호]을"),
    # cards
    ("카드번호 4111-1111-1111-1111로 결제", "카드번호 [카드번호]로 결제"),
    ("5379 1234 5678 9017을 입력", "[카드번호]을 입력"),
    ("9405123456789017은 국내 전용", "[카드번호]은 국내 전용"),
    ("아멕스 3700-012345-67899로", "아멕스 [카드번호]로"),
    ("다이너스 30123456789019이다", "다이너스 [카드번호]이다"),
    # bank accounts
    ("신한 110-123-456789로 입금", "신한 [계좌번호]로 입금"),
    ("국민은행 123456-01-123456 홍길동", "국민은행 [계좌번호] 홍길동"),
    ("카카오뱅크 3333-01-1234567로 보내 줘", "카카오뱅크 [계좌번호]로 보내 줘"),
    ("농협 301-1234-5678-91(예금주 김영희)", "농협 [계좌번호](예금주 김영희)"),
    ("1002-345-678901로 송금했다", "[계좌번호]로 송금했다"),
    ("계좌번호는 11012345678901입니다", "계좌번호는 [계좌번호]입니다"),
    ("KB 123456 - 01 - 123456에", "KB [계좌번호]에"),
    ("통장의 계좌번호인 201-02-84196번", "통장의 계좌번호인 [계좌번호]번"),
    ("사단법인 한빛 국민은행 123456-01-123456", "사단법인 한빛 국민은행 [계좌번호]"),
    ("사업자등록번호 123-45-67890 국민은행 123456-01-123456", "사업자등록번호 123-45-67890 국민은행 [계좌번호]"),
    ("후원 계좌: 하나은행 123-456789-12345", "후원 계좌: 하나은행 [계좌번호]"),
    # passports and licences
    ("여권번호 M12345678을 적는다", "여권번호 [여권번호]을 적는다"),
    ("새 여권은 M123A4567이다", "새 여권은 [여권번호]이다"),
    ("passport no. S98765432", "passport no. [여권번호]"),
    ("면허번호 11-22-123456-78을", "면허번호 [운전면허번호]을"),
    ("운전면허 281234567890으로", "운전면허 [운전면허번호]으로"),
    ("서울 12-345678-90으로 발급", "[운전면허번호]으로 발급"),
    ("경기남부-12-345678-90이다", "[운전면허번호]이다"),
    ("13-05-654321-12는 경기 면허", "[운전면허번호]는 경기 면허"),
    # addresses of machines
    ("211.234.56.78에서 접속했다", "[IP주소]에서 접속했다"),
    ("IP는 8.8.8.8이다", "IP는 [IP주소]이다"),
    ("아이피 1.2.3.4로", "아이피 [IP주소]로"),
    ("서버 2404:6800:4004:80a::200e에", "서버 [IP주소]에"),
    # several at once
    ("홍길동 900101-1234567 010-2345-6789 hong@naver.com 신한 110-123-456789",
     "홍길동 [주민등록번호] [전화번호] [이메일] 신한 [계좌번호]"),
    ("전화 02-736-6990, 팩스 02-736-6991\n계좌\n", "전화 [전화번호], 팩스 [전화번호]\n계좌\n"),
]

LEFT_ALONE = [
    # dates, times, amounts
    "2020-01-01부터 2021-12-31까지", "2021. 6. 15.에 시행", "20200101에 만들었다", "2014-01-26 00:15에 썼다",
    "2013.12.29 01:17 신고", "19970101123000에 저장", "(1988.10.5. 14:00경)", "2005.07–2007.10의 공백기",
    "1,000,000원을 입금", "1000000원을 계좌로 이체", "계좌에 10000000000원이 들어왔다", "농협이 12000000000 달러를",
    "입금 2019-03-01 14:00:01", "이체일 20190301120000",
    # versions and lists of numbers
    "윈도 10.0.19041.1에서", "버전 12.34.56.78로 올렸다", "v12.34.56.78을 설치", "Chrome 87.0.4280.88에서",
    "펌웨어 11.22.33.10이", "12.34.56.11 버전부터", "iOS 14.10.12.11에", "1.2.3.4편 모두 봤다", "4회 우승(91.93.96.97)하는 동안",
    "보상(4,14; 5,3.7.10.15; 12,1)", "효소 번호 EC 2.7.1.26이다", "6.3.3.4의 학제",
    # laws, files, books
    "법률 제16272호로", "제12345678901호", "2019헌바123-1 사건", "공문 제31810-6339호", "대법원 2011. 10. 10. 23:00",
    "특허출원 제10-2006-7013149호", "ISBN 979-11-6050-123-4를", "ISBN 89-364-7119-5이다", "9791160501234를 검색",
    "ISBN 978-2-07-270534-2, 국민은행 옆 서점", "ISSN 1234-5678에", "1234-5678쪽", "국민 9788990641175",
    "국민은행 옆 ISBN 89-2806-246-3",
    # other numbers of people and companies
    "사업자등록번호 123-45-67890", "농협 사업자 123-45-67890으로 입금", "농협 사업자 번호: 1234567890으로",
    "법인등록번호 110111-1234567", "등기번호 110111-0123456이다",
    "법인등록번호 110111-5123456", "법인등록번호 1101110123452", "법인등록번호 1101115123458",
    "대표번호 1588-1234로 전화", "전화 1644-5678", "국번 없이 119나 1330으로 전화", "우편번호 06236, 옛 135-080",
    "학번 2019-12345", "통장 번호 2019-123-456789 은행",
    # not valid
    "주민번호 901301-1234567", "주민번호 900230-1234567", "850431-2123456이다", "9001011234567을 적었다", "9001015234567을",
    "카드 4111-1111-1111-1112", "7012 3456 7890 1239", "여권 M1234567", "M12345678 부품", "면허 29-12-345678-90",
    "서버 256.123.45.67에", "010-0234-5678", "010-1234-567", "0101-1234-5678",
    # private and documentation addresses
    "192.168.100.10으로", "10.10.10.20에", "IP 127.0.0.1", "172.16.20.30과", "IP 255.255.255.255", "IP 224.0.0.1",
    "208.130.28.0/22 블록",
    "192.0.2.55는 예시", "IP 2001:db8::1:2", "fe80::1:2:3에서", "12:34:56에 도착",
    # parts of something longer
    "3.14159265358979323846", "0.01012345678", "10010123456789012을", "a01023456789b", "01023456789012345",
    "8d94384216f890ff7a0c3528e8bed1", "2f1e4fc0-81fd-11da-9156-00036a0f876a", "126.80814743041994, 36.94481576649736",
    "http://blog.naver.com/x/01023456789를", "https://a.kr/?id=010-2345-6789&n=1", "www.a.kr/4111111111111111",
    "http://211.234.56.78/board에", "IMG_01023456789.jpg", "SM-G991N-010-12", "01011110000 이진수로", "요한복음 3:16-18",
    "3-2로 이기고 10-0으로 졌다", "34-12-567890-12",
    "010-1234-5678-9", "900101-1234567-1", "제010-1234-5678호", "281234567890을 세었다", "IP 설정기 버전 1.2.3.4",
    # an @ that is no address
    "@naver_com을 팔로우", "SETI@home과 THE IDOLM@STER", "react-dom@16.8.0을 설치", "icon@2x.png를",
    "git@github.com:kim/repo.git", "user@example.com은 예시", "kim@localhost에서", "@3@ 졸려",
    # words that are far away, on another line, or a placeholder's own
    "계좌\n110-123-456789", "계좌를 아주아주 오래전에 만들었다는 사실을 이제야 알았다. 110-123-456789",
    "[계좌번호] 110-123-456789", "[전화번호] 027366990", "[여권번호] M12345678", "큰은행나무 길 110-123-456789", "110-123-456789",
    "110-123-456789\n계좌", "계좌 12-345-6789", "신한 123-4567-8901-2345", "국민은행 공고 2019-123-456789",
]


@pytest.mark.parametrize(("text", "expected"), FOUND, ids=[text for text, _ in FOUND])
def test_personal_data_becomes_placeholders(text, expected):
    replaced, counts = replace_personal_data(text, "placeholder")
    assert replaced == expected
    assert counts == {kind: expected.count(forms["placeholder"]) for kind, forms in KINDS.items()
                      if forms["placeholder"] in expected}


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_what_only_looks_like_personal_data_stays(text):
    assert replace_personal_data(text, "placeholder") == (text, {})


@pytest.mark.parametrize(("value", "pseudonym"), [
    ("a@b.kr", r"user\d{4}@example\.com"), ("010-1234-5678", r"010-0000-\d{4}"), ("900101-1234567", r"000000-000\d{4}"),
    ("900101-5234567", r"000000-500\d{4}"), ("4111-1111-1111-1111", r"0000-0000-0000-\d{4}"),
    ("신한 110-123-456789", r"신한 000-0000-\d{4}"), ("여권 M12345678", r"여권 M0000\d{4}"),
    ("11-22-123456-78", r"00-00-00\d{4}-00"), ("211.234.56.78", r"203\.0\.113\.\d{1,3}")])
def test_pseudonyms_have_the_form_of_the_value_and_are_impossible(value, pseudonym):
    replaced, counts = replace_personal_data(f"{value}은 비밀", "pseudonym")
    assert re.fullmatch(f"{pseudonym}은 비밀", replaced)
    assert list(counts.values()) == [1]
    for words in ("", "계좌 주민 전화 여권 면허 IP "):  # in the best of surroundings it is nothing
        assert replace_personal_data(words + replaced, "placeholder") == (words + replaced, {})


@pytest.mark.parametrize("same", [
    ("010-1234-5678", "01012345678", "010.1234.5678", "(010) 1234-5678", "+82 10-1234-5678", "+82-(0)10-1234-5678",
     "+821012345678", "82-10-1234-5678"),
    ("02-736-6990", "02)736-6990", "+82-2-736-6990"), ("900101-1234568", "9001011234568", "900101 – 1234568"),
    ("4111-1111-1111-1111", "4111111111111111"), ("Hong@Naver.com", "hong@naver.com"),
    ("계좌 110-123-456789", "계좌 110123456789")])
def test_a_value_has_one_pseudonym_however_it_is_written(same):
    assert len({replace_personal_data(value, "pseudonym")[0] for value in same}) == 1


def test_different_values_nearly_always_have_different_pseudonyms():
    numbers = [replace_personal_data(f"010-{5000 + number}-{number:04}", "pseudonym")[0] for number in range(100)]
    assert len(set(numbers)) >= 95
    assert len({replace_personal_data(f"211.234.56.{number}", "pseudonym")[0] for number in range(10, 20)}) >= 8


def test_keep_counts_nothing_and_an_unknown_mode_is_an_error():
    assert replace_personal_data("010-1234-5678", "keep") == ("010-1234-5678", {})
    with pytest.raises(ValueError, match="unknown mode 'mask'"):
        replace_personal_data("", "mask")


def test_words_brought_nearer_by_a_replacement_are_seen_at_once():
    text = "계좌는 hong.gildong.the.second@naver.com에게 110-123-456789"
    replaced, counts = replace_personal_data(text, "placeholder")
    assert (replaced, counts) == ("계좌는 [이메일]에게 [계좌번호]", {"email": 1, "bank_account": 1})


PIECES = [*(text for text, _ in FOUND), *LEFT_ALONE, *("010", "-", " ", "\n", "(", "@", ".", "0", "계좌", "1234", "여권")]


ODD = st.one_of(st.sampled_from(PIECES), st.text(max_size=4), st.from_regex("[-0-9. @:a-f]{0,9}"))


@given(st.lists(ODD, max_size=8), st.sampled_from(MODES[1:]))
def test_replacing_twice_changes_nothing_more(pieces, mode):
    once, _ = replace_personal_data("".join(pieces), mode)
    assert replace_personal_data(once, mode) == (once, {})


@given(st.text(alphabet="0123456789-. ()+@:abcM\ud800계좌호IP여권", max_size=80), st.sampled_from(MODES))
def test_no_text_is_too_odd(text, mode):
    replaced, counts = replace_personal_data(text, mode)
    assert (replaced == text) == (not counts)


@pytest.mark.parametrize("piece", ["1 2 3 ", "a@", "a.a@a.a", "010-1234-5678 ", "1.1.1.1.", "2001:1:", "계좌 1234567 "])
def test_a_long_run_takes_linear_time(piece):
    start = time.perf_counter()
    replace_personal_data(piece * 20_000, "placeholder")
    assert time.perf_counter() - start < 10  # quadratic, it would take minutes
