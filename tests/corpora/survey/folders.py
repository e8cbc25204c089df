"""Four unlike folders of text, as people have them."""

import gzip
import io
import json
import random
import tarfile
import zipfile
from pathlib import Path
from unicodedata import normalize

from tests.corpora.sources.reading import json_lines, parquet

SPEECH = "나는 오늘 학교에 갔다 그리고 친구와 밥을 먹었다 날씨가 좋았고 바람이 불었다 영화는"
CHANCE = random.Random(1)


def sentence(num_words: int = 8) -> str:
    return " ".join(CHANCE.choice(SPEECH.split(" ")) for _ in range(num_words)) + "다."


def paragraph(num_sentences: int = 5) -> str:
    return " ".join(sentence() for _ in range(num_sentences))


def write(folder: Path, name: str, data: str | bytes, encoding: str = "utf-8") -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode(encoding))


def dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def write_texts(folder: Path) -> None:
    """Plain texts in two encodings and forms of names, Markdown, and what is none."""
    for number in range(6):
        book = "\n\n".join(paragraph() for _ in range(30))
        write(folder, f"novels/소설_{number}.txt", book, "cp949" if number % 2 else "utf-8")
    write(folder, normalize("NFD", "novels/소설_맥.txt"), paragraph())
    write(folder, "reviews.txt", "\n".join(sentence(5) for _ in range(200)))
    write(folder, "[원천] 뉴스 (1).txt", "\n\n".join(paragraph() for _ in range(30)))
    write(folder, "notes/memo.md", f"# 제목\n\n{paragraph()}")
    write(folder, "README.md", "# 설명")
    write(folder, ".hidden", "x")
    write(folder, "blank.txt", "\n \n")
    write(folder, "report.hwp", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)


def write_tables(folder: Path) -> None:
    """NSMC as it is shipped, other delimiters and encodings, and a table without a header."""
    rows = [f"{number}\t{sentence(6)}\t{number % 2}" for number in range(60)]
    write(folder, "ratings_train.txt", "\n".join(["id\tdocument\tlabel", *rows]))
    rows = [f'{number};"제목 {number}";"{paragraph()}"' for number in range(60)]
    write(folder, "semicolons.csv", "\n".join(["번호;제목;본문", *rows]))
    rows = [f"{number},{sentence(9)},pos" for number in range(60)]
    write(folder, "headerless.csv", "\n".join(rows), "cp949")
    rows = [f'{number},"{paragraph()}\n둘째 줄"' for number in range(60)]
    write(folder, "excel.csv", "\r\n".join(["id,내용", *rows]), "utf-8-sig")


def write_json(folder: Path) -> None:
    """Nested JSON as 모두의 말뭉치 has it, arrays, lines under another name, and settings."""
    for number in range(8):
        articles = [
            {
                "id": f"NWRW{number}.{each}",
                "metadata": {"title": f"기사 {each}"},
                "paragraph": [{"id": "a", "form": paragraph()} for _ in range(3)],
            }
            for each in range(4)
        ]
        write(folder, f"news/NWRW{number}.json", dump({"id": "NWRW", "document": articles}))
        speech = [{"speaker": "A", "form": sentence(4)} for _ in range(40)]
        write(folder, f"speech/S{number}.json", dump({"id": "S", "utterance": speech}))
    rows = [{"title": f"글 {number}", "content": paragraph()} for number in range(30)]
    write(folder, "array.json", json.dumps(rows, ensure_ascii=False, indent=1))
    write(folder, "strings.json", dump([paragraph() for _ in range(30)]))
    write(folder, "lines.txt", json_lines(*({"guid": "1", "text": paragraph()} for _ in range(30))))
    write(folder, "rows.parquet", parquet({"id": [1, 2], "text": [paragraph(), paragraph()]}))
    write(folder, "config.json", dump({"rate": 0.1}))


def write_archives(folder: Path) -> None:
    """AI-Hub's zip, a tar, WikiExtractor's files, and damaged ones."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(5):
            rows = [{"title": f"글 {each}", "text": paragraph()} for each in range(6)]
            archive.writestr(f"원천/{number}.json", dump({"info": {"name": "a"}, "data": rows}))
        archive.writestr("설명.pdf", b"%PDF-1.4 and so on")
    write(folder, "aihub.zip", packed.getvalue())
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for number in range(5):
            raw = paragraph().encode()
            member = tarfile.TarInfo(f"texts/{number}.txt")
            member.size = len(raw)
            archive.addfile(member, io.BytesIO(raw))
    write(folder, "texts.tar.gz", packed.getvalue())
    for part in ("AA", "AB"):
        articles = [
            f'<doc id="{number}" url="u" title="글">\n글\n\n{paragraph()}\n\n</doc>\n'
            for number in range(30)
        ]
        write(folder, f"wiki/{part}/wiki_00", "".join(articles))
    write(folder, "cut.jsonl.gz", gzip.compress(json_lines({"text": "가"}) * 999, mtime=0)[:40])


FOLDERS = {
    "texts": write_texts,
    "tables": write_tables,
    "json": write_json,
    "archives": write_archives,
}
