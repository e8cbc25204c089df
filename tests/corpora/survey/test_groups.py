"""Every file of a folder is in a source that reads it, or among those that can't be read, with the
reason."""

import pytest

from corpora.paths import match_paths
from corpora.survey.groups import find_sources
from corpora.survey.write import find_patterns
from tests.corpora.sources.packing import pack_zip
from tests.corpora.survey.folders import FOLDERS, dump, paragraph, sentence, write

SOURCES = {
    "texts": {
        ("[원천] 뉴스 (1).txt",): {"unit": "file"},
        ("reviews.txt",): {"unit": "line"},
        ("novels/*.txt",): {"unit": "file"},
        ("notes/memo.md",): {},
    },
    "tables": {
        ("ratings_train.txt",): {"format": "tsv", "text": "document"},
        ("semicolons.csv",): {"delimiter": ";", "text": "본문", "title": "제목"},
        ("headerless.csv",): {"columns": ["column1", "column2", "column3"], "text": "column2"},
        ("excel.csv",): {"text": "내용"},
    },
    "json": {
        ("news/*.json",): {
            "text": "document[].paragraph[].form",
            "title": "document[].metadata.title",
        },
        ("speech/*.json",): {"text": "utterance[].form", "unit": "file"},
        ("array.json",): {"text": "content", "title": "title"},
        ("strings.json",): {},
        ("lines.txt",): {"format": "jsonl", "text": "text"},
        ("rows.parquet",): {"text": "text"},
    },
    "archives": {
        ("aihub.zip",): {"members": ["*.json"], "text": "data[].text", "title": "data[].title"},
        ("texts.tar.gz",): {"unit": "file"},
        ("wiki/**/*",): {},
    },
}
UNREAD = {
    "texts": {
        "README.md": "about the data",
        "1 files": "hidden",
        "blank.txt": "no text in it",
        "report.hwp": "an HWP document",
    },
    "tables": {},
    "json": {"config.json": "read as json, no column or key of it holds text"},
    "archives": {"aihub.zip": "'설명.pdf': a PDF document", "cut.jsonl.gz": "damaged or cut short"},
}


@pytest.mark.parametrize("name", FOLDERS)
def test_every_file_is_in_a_source_with_its_settings_or_among_the_unread(tmp_path, name):
    FOLDERS[name](tmp_path)
    proposals, reasons = find_sources(tmp_path)
    found = {tuple(find_patterns(tmp_path, each)): each.settings for each in proposals}
    assert found == SOURCES[name]
    unread = {label: reason for reason, labels in reasons.items() for label in labels}
    assert set(unread) == set(UNREAD[name])
    for label, reason in UNREAD[name].items():
        assert reason in unread[label]
    files = {path for path in match_paths("**/*", tmp_path) if path.is_file()}
    read = {each.path for proposal in proposals for each in proposal.files}
    assert (
        files - read == {tmp_path / label for label in unread if (tmp_path / label).exists()} - read
    )


def test_members_without_a_suffix_are_listed_because_a_star_is_all_of_them(tmp_path):
    article = f'<doc id="1" url="u" title="글">\n글\n\n{paragraph()}\n\n</doc>\n'
    packed = pack_zip({"AA/wiki_00": article.encode(), "AA/wiki_01": b"", "a.pdf": b"%PDF-1.4"})
    write(tmp_path, "wiki.zip", packed)
    [proposal], _ = find_sources(tmp_path)
    assert proposal.settings == {"members": ["AA/wiki_00", "AA/wiki_01"]}


def test_files_of_one_structure_in_many_folders_are_one_source(tmp_path):
    for year in range(1990, 2000):
        write(tmp_path, f"news/{year}/a.json", dump({"text": paragraph(), "id": "1"}))
    write(tmp_path, "other/a.json", dump({"text": paragraph(), "id": "1"}))
    proposals, _ = find_sources(tmp_path)
    patterns = [find_patterns(tmp_path, each) for each in proposals]
    assert patterns == [["**/*.json"]] or patterns == [["news/**/*.json"], ["other/a.json"]]


def test_files_of_one_folder_without_the_text_are_a_source_of_their_own(tmp_path):
    for number in range(3):
        write(tmp_path, f"a{number}.jsonl", dump({"body": paragraph(9)}) + "\n")
    write(tmp_path, "b.jsonl", dump({"name": sentence()}) + "\n")
    proposals, _ = find_sources(tmp_path)
    found = {each.settings["text"]: find_patterns(tmp_path, each) for each in proposals}
    assert found == {"body": ["a*.jsonl"], "name": ["b.jsonl"]}


def test_of_very_many_equal_files_the_rest_is_taken_to_be_alike(tmp_path, monkeypatch):
    monkeypatch.setattr("corpora.survey.groups.MAX_LOOKS", 3)
    for number in range(6):
        write(tmp_path, f"{number}.jsonl", dump({"body": paragraph()}) + "\n")
    [proposal], _ = find_sources(tmp_path)
    assert len(proposal.files) == 6
    write(tmp_path, "2.jsonl", dump([paragraph()]))
    proposals, _ = find_sources(tmp_path)
    assert sorted(len(each.files) for each in proposals) == [1, 5]
