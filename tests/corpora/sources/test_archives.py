"""An archive is read member by member, each as a file of its own; none is lost without a word."""

import bz2
import gzip
import json
import lzma
import stat
import tarfile
import tracemalloc
import unicodedata
import zipfile

import pyarrow
import pytest

from corpora.errors import UserError
from corpora.sources.read import read_file
from tests.corpora.small_recipe import make_source
from tests.corpora.sources.packing import pack_tar, pack_zip, rename_in_zip, set_zip_flag
from tests.corpora.sources.reading import ROWS, bad, json_lines, parquet, read, texts

LINES = json_lines(*[{"text": row} for row in ROWS])
MIXED = {
    "b/글.jsonl": LINES,
    "b/c.jsonl.gz": gzip.compress(LINES, mtime=0),
    "a.txt": ROWS[0].encode(),
    "f.json": json.dumps([{"text": row} for row in ROWS]).encode("utf-16"),
    "표.csv": ("text\n" + "\n".join(ROWS)).encode(),
    "d.parquet": parquet({"text": ROWS}),
    "e.parquet.zst": pyarrow.compress(parquet({"text": ROWS}), "zstd", asbytes=True),
}


def pack_tgz(members):
    return pack_tar(members, "w:gz")


@pytest.mark.parametrize(
    "name, pack",
    [
        ("a.zip", pack_zip),
        ("a.tar", pack_tar),
        ("a.tar.gz", pack_tgz),
        ("a.tgz", pack_tgz),
        ("a.tar.bz2", lambda members: bz2.compress(pack_tar(members))),
        ("a.tbz2", lambda members: pack_tar(members, "w:bz2")),
        ("a.tar.xz", lambda members: lzma.compress(pack_tar(members))),
        ("a.txz", lambda members: pack_tar(members, "w:xz")),
        ("a.tar.zst", lambda members: pyarrow.compress(pack_tar(members), "zstd", asbytes=True)),
    ],
)
def test_a_member_is_read_by_the_reader_of_its_own_suffix(tmp_path, name, pack):
    records = read(tmp_path / name, pack(MIXED))
    assert not bad(records)
    places = {}
    for record in records:
        places.setdefault(record.where.rpartition(":")[0] or record.where, []).append(record.text)
    expected = {f"{name}/{member}": ROWS for member in MIXED} | {f"{name}/a.txt": ROWS[:1]}
    assert places == expected
    assert f"{name}/b/글.jsonl:2" in [record.where for record in records]


def test_a_zip_is_read_in_the_order_of_names_and_a_tar_as_it_comes(tmp_path):
    members = {"b.txt": "나".encode(), "a.txt": "가".encode(), "c.txt": "다".encode()}
    assert texts(read(tmp_path / "a.zip", pack_zip(members))) == ["가", "나", "다"]
    assert texts(read(tmp_path / "a.tar", pack_tar(members))) == ["나", "가", "다"]


@pytest.mark.parametrize("name, pack", [("a.zip", pack_zip), ("a.tar", pack_tar)])
class TestChoosing:
    def test_members_chooses_and_a_star_crosses_folders(self, tmp_path, name, pack):
        members = {"가/나/a.jsonl": LINES, "readme.hwp": b"x", "b.txt": b"b"}
        assert texts(read(tmp_path / name, pack(members), members=("*.jsonl",))) == ROWS
        assert texts(read(tmp_path / name, pack(members), members=("b.txt",))) == ["b"]

    def test_a_pattern_matches_a_name_in_either_normal_form(self, tmp_path, name, pack):
        decomposed = unicodedata.normalize("NFD", "소설")
        data = pack({f"{decomposed}_1.txt": b"1", "소설_2.txt": b"2"})
        for pattern in ("소설_*.txt", f"{decomposed}_*.txt"):
            assert texts(read(tmp_path / name, data, members=(pattern,))) == ["1", "2"]

    def test_a_name_as_it_is_spelt_is_that_member_even_with_brackets(self, tmp_path, name, pack):
        data = pack({"[원천] 1.txt": b"1", "b.txt": b"2"})
        assert texts(read(tmp_path / name, data, members=("[원천] 1.txt",))) == ["1"]

    def test_litter_of_operating_systems_is_left_out(self, tmp_path, name, pack):
        litter = ["__MACOSX/._a.txt", "x/.DS_Store", "Thumbs.db", "x/desktop.ini", "x/._b.txt"]
        data = pack({"a.txt": b"a"} | dict.fromkeys(litter, b"\0"))
        assert texts(read(tmp_path / name, data)) == ["a"]
        assert texts(read(tmp_path / name, data, members=("*.txt",))) == ["a"]

    def test_no_member_chosen_is_an_error_that_lists_some(self, tmp_path, name, pack):
        data = pack({f"{number}.txt": b"x" for number in range(9)})
        with pytest.raises(UserError, match=r"members = \['\*\.json'\].* '0\.txt', .*'4\.txt'\."):
            read(tmp_path / name, data, members=("*.json",))
        with pytest.raises(UserError, match=r"no member can be read .*nothing"):
            read(tmp_path / name, pack({}))

    @pytest.mark.parametrize(
        "member, message",
        [
            (
                "b.hwp",
                r"format unknown\. Choose .*members = .*source 's', or set format: one of txt",
            ),
            ("b.zip", "an archive inside the archive"),
            ("b.tar.gz", "an archive inside the archive"),
            ("/etc/b.txt", "a path outside"),
            ("c/../../b.txt", "a path outside"),
            ("C:\\b.txt", "a path outside"),
        ],
    )
    def test_what_is_not_read_is_named(self, tmp_path, name, pack, member, message):
        data = pack({"a.txt": b"a", member: b"x"})
        spelt = member.replace("\\", r"[/\\]+")
        with pytest.raises(UserError, match=rf"{name}, member '{spelt}': {message}"):
            read(tmp_path / name, data)
        assert texts(read(tmp_path / name, data, members=("a.txt",))) == ["a"]

    def test_an_empty_member_is_a_bad_record(self, tmp_path, name, pack):
        records = read(tmp_path / name, pack({"a.txt": b"", "b.txt": b"b"}))
        assert bad(records) == [(f"{name}/a.txt", "empty file")]
        assert texts(records) == ["b"]

    def test_a_damaged_member_is_named(self, tmp_path, name, pack):
        data = pack({"a.txt": b"a", "b.jsonl.gz": gzip.compress(LINES)[:-9]})
        with pytest.raises(UserError, match=rf"{name}, member 'b\.jsonl\.gz': damaged or cut"):
            read(tmp_path / name, data)

    def test_an_archive_that_was_cut_is_refused(self, tmp_path, name, pack):
        data = pack({f"{number}.txt": bytes([65 + number]) * 900 for number in range(9)})
        for size in (len(data) // 2, len(data) - 9000, 10):
            if 0 < size < len(data):
                with pytest.raises(UserError, match=rf"{name}.*damaged"):
                    read(tmp_path / name, data[:size])


@pytest.mark.parametrize("encoding", ["cp949", "utf-8"])
def test_names_in_a_zip_without_the_flag_for_utf_8_are_shown_right(tmp_path, encoding):
    raw = "한글.txt".encode(encoding)
    data = rename_in_zip(pack_zip({"x" * len(raw): b"1"}), b"x" * len(raw), raw)
    for members in ((), ("한글.txt",)):
        [record] = read(tmp_path / "a.zip", data, members=members)
        assert record[:2] == ("a.zip/한글.txt", "1")


def test_a_name_that_is_neither_utf_8_nor_cp949_is_read_as_cp437(tmp_path):
    data = rename_in_zip(pack_zip({"xx.txt": b"1"}), b"xx.txt", b"\x80\xff.txt")
    [record] = read(tmp_path / "a.zip", data)
    assert record.where == "a.zip/Ç\xa0.txt"


def test_a_zip_that_needs_a_password_says_so(tmp_path):
    data = set_zip_flag(pack_zip({"a.txt": b"a"}), 1)
    with pytest.raises(UserError, match=r"a\.zip, member 'a\.txt': needs a password"):
        read(tmp_path / "a.zip", data)


@pytest.mark.parametrize(
    "settings, member",
    [
        ({}, "a.txt"),
        ({"unit": "line"}, "a.txt"),
        ({}, "a.csv"),
        ({"format": "md"}, "a.txt"),
        ({"format": "jsonl"}, "a.txt"),
    ],
)
def test_a_wrong_checksum_in_a_zip_never_passes(tmp_path, settings, member):
    text = b"text\n" + b"A" * 5000
    data = pack_zip({member: text}, zipfile.ZIP_STORED).replace(b"AAA", b"AAB", 1)
    with pytest.raises(UserError, match=rf"member '{member}': damaged .*CRC"):
        read(tmp_path / "a.zip", data, **settings)


def test_a_wrong_checksum_shows_even_where_a_reader_stops_early(tmp_path, monkeypatch):
    monkeypatch.setattr("corpora.sources.formats.text.MAX_RECORD", 10)
    data = pack_zip({"a.txt": b"A" * 300_000}, zipfile.ZIP_STORED).replace(b"AAA", b"AAB", 1)
    with pytest.raises(UserError, match="CRC"):
        read(tmp_path / "a.zip", data)


def test_a_packing_that_python_lacks_is_an_error_with_the_members_name(tmp_path):
    changed = bytearray(pack_zip({"a.txt": b"A" * 99}))
    changed[8] = changed[changed.index(b"PK\1\2") + 10] = 9  # deflate64, as Windows may use
    with pytest.raises(UserError, match=r"member 'a\.txt': damaged .*compression"):
        read(tmp_path / "a.zip", bytes(changed))


def test_links_and_devices_are_refused_by_name(tmp_path):
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE):
        data = pack_tar({"a.txt": b"a"}, b=kind)
        with pytest.raises(UserError, match=r"a\.tar, member 'b': a link or a device"):
            read(tmp_path / "a.tar", data, format="txt")
    link = zipfile.ZipInfo("b.txt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "a.txt")
    with pytest.raises(UserError, match=r"a\.zip, member 'b\.txt': a link"):
        list(read_file(make_source(), path, "a.zip"))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_damaged_header_in_a_tar_loses_no_member_in_silence(tmp_path, place):
    data = bytearray(pack_tar({f"{number}.txt": b"x" * 500 for number in range(3)}))
    data[place * 1024 + 110] ^= 0x55
    with pytest.raises(UserError, match=r"a\.tar.*damaged or cut short"):
        read(tmp_path / "a.tar", bytes(data))


def test_a_tar_that_ends_between_two_members_is_refused(tmp_path):
    data = pack_tar({f"{number}.txt": b"x" * 500 for number in range(3)})
    with pytest.raises(UserError, match=r"a\.tar.*end mark"):
        read(tmp_path / "a.tar", data[:2048])


def test_a_wrong_checksum_of_the_packed_tar_shows(tmp_path):
    data = bytearray(pack_tar({"a.txt": b"a"}, "w:gz"))
    data[-8] ^= 1
    with pytest.raises(UserError, match=r"a\.tgz: damaged .*CRC"):
        read(tmp_path / "a.tgz", bytes(data))


@pytest.mark.parametrize("name, pack", [("a.zip", pack_zip), ("a.tgz", pack_tgz)])
def test_a_large_member_takes_little_memory(tmp_path, name, pack):
    rows = json_lines(*[{"text": ROWS[0] * 50}] * 20000)
    assert measure_peak(tmp_path / name, pack({"a.jsonl": rows})) < 4 << 20


def test_many_members_of_a_tar_take_no_more_memory_than_few(tmp_path):
    few, many = (
        measure_peak(tmp_path / "a.tgz", pack_tgz({f"{i}.jsonl": LINES for i in range(number)}))
        for number in (100, 4000)
    )
    assert many < few + (1 << 18)


def measure_peak(path, data):
    path.write_bytes(data)
    tracemalloc.start()
    try:
        assert all(not record.reason for record in read_file(make_source(), path, "a"))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
