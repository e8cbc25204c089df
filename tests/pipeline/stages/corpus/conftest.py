"""Raw text for the tests of the corpus stage."""

import json
from pathlib import Path

import pytest

from corpora.tasks.rows import load_rows
from corpora.tasks.task import TASKS
from tests.pipeline.stages.corpus.small_corpus import RECIPE

EVALUATION = """personal_data = "pseudonym"
[[evaluation]]
task = "nli"
split = "validation"
data = "sample\""""


@pytest.fixture
def data(tmp_path):
    """Three files of one source and one of another, with one of each kind of drop."""
    folder = tmp_path / "data"
    folder.mkdir()
    for part in range(3):
        texts = [f"{part}번 파일의 {number}번째 문장은 이렇게 쓰여 있다." for number in range(60)]
        (folder / f"a{part}.jsonl").write_text("", encoding="utf-8")
        append_texts(folder / f"a{part}.jsonl", texts)
    with open(folder / "a0.jsonl", "a", encoding="utf-8") as file:
        file.write(
            '{"text": "짧다"}\nnot json\n{"text": "▁ \uf0b7English\u3164only, as a whole"}\n'
        )
    lines = [
        "0번 파일의 7번째 문장은 이렇게 쓰여 있다.",
        *[f"다른 출처의 {number}번째 줄" for number in range(50)],
    ]
    (folder / "b.txt").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    return folder


@pytest.fixture
def alike(data, monkeypatch):
    """The same data with near duplicates, evaluation text, personal data and lines to take out; a
    shard for each file."""
    monkeypatch.setattr("corpora.sources.shards.SHARD_BYTES", 1)
    recipe = RECIPE.replace("bands = 0", EVALUATION)
    recipe = recipe.replace('["whitespace"]', '["whitespace"]\nline_max_symbols = 0.5')
    (data.parent / "recipe.toml").write_text(recipe, encoding="utf-8")
    premise = load_rows("sample", TASKS["nli"], "validation")[0]["premise"]
    for part in range(3):
        for topic in range(5):
            words = [f"{topic}번낱말{number}은" for number in range(120)]
            words[part * 30] = f"바뀐{part}"
            question = f"{part}{topic}번 문의는 아래에 적힌 주소로 보내 주시기 바랍니다."
            address = f"a{topic}@naver.com으로\n----"
            texts = [" ".join(words), f"앞말 {part}. {premise} 뒷말", f"{question} {address}"]
            append_texts(data / f"a{part}.jsonl", texts)
    return data


def append_texts(path: Path, texts: list[str]) -> None:
    """Append documents to a file of JSON lines."""
    with open(path, "a", encoding="utf-8") as file:
        for text in texts:
            file.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")
