"""Raw text for the tests of the corpus stage."""
import json

import pytest

from corpora.tasks.rows import load_rows
from corpora.tasks.task import TASKS
from tests.pipeline.small_corpus import RECIPE


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    for part in range(3):
        rows = [{"text": f"{part}번 파일의 {number}번째 문장은 이렇게 쓰여 있다."} for number in range(60)]
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        (folder / f"a{part}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with open(folder / "a0.jsonl", "a", encoding="utf-8") as file:
        file.write('{"text": "짧다"}\nnot json\n{"text": "▁ English only, as a whole"}\n')
    lines = ["0번 파일의 7번째 문장은 이렇게 쓰여 있다.", *[f"다른 출처의 {n}번째 줄" for n in range(50)]]
    (folder / "b.txt").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    return folder


@pytest.fixture
def alike(data, monkeypatch):
    """The same data with near duplicates, evaluation text, personal data and lines to take out; a shard for each file."""
    monkeypatch.setattr("corpora.recipe.SHARD_BYTES", 1)
    path = data.parent / "recipe.toml"
    path.write_text(RECIPE.replace("bands = 0", '''personal_data = "pseudonym"
[[evaluation]]
task = "nli"
split = "validation"
data = "sample"''').replace('clean = ["whitespace"]', 'clean = ["whitespace"]\nline_max_symbols = 0.5'), encoding="utf-8")
    premise = load_rows("sample", TASKS["nli"], "validation")[0]["premise"]
    words = [f"낱말{number}은" for number in range(400)]
    for part in range(3):
        with open(data / f"a{part}.jsonl", "a", encoding="utf-8") as file:
            for topic in range(5):
                text = [f"{topic}번" + word for word in words[:120]]
                text[part * 30] = f"바뀐{part}"
                for row in (" ".join(text), f"앞말 {part}. {premise} 뒷말", f"{part}{topic}번 문의는 아래에 적힌 주소로 보내 주시기 바랍니다. a{topic}@naver.com으로\n----"):
                    file.write(json.dumps({"text": row}, ensure_ascii=False) + "\n")
    return data
