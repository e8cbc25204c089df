"""What stands on the Hub of the tests: Wikipedia, FineWeb-2 and KLUE in the shape that the real one
has them, in small."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corpora.tasks.task import TASKS

ROWS_A_FILE = 400
WIKIPEDIA = {
    "name": "wikipedia",
    "dataset": "wikimedia/wikipedia",
    "config": "20231101.ko",
    "title": "title",
}
WEB = {"name": "web", "dataset": "HuggingFaceFW/fineweb-2", "config": "kor_Hang"}
YNAT = [
    {"guid": f"ynat-{number}", "title": f"제목 {number}", "label": number % 7}
    for number in range(50)
]
RE = [
    {
        "guid": f"re-{number}",
        "sentence": "한빛전자는 김하늘이 세웠다.",
        "subject_entity": {"word": "한빛전자", "start_idx": 0, "end_idx": 3, "type": "ORG"},
        "object_entity": {"word": "김하늘", "start_idx": 6, "end_idx": 8, "type": "PER"},
        "label": number,
    }
    for number in range(30)
]
TEXT = {"dtype": "string", "_type": "Value"}
NUMBER = {"dtype": "int32", "_type": "Value"}
ENTITY = {"word": TEXT, "start_idx": NUMBER, "end_idx": NUMBER, "type": TEXT}
FEATURES = {
    "ynat": {"guid": TEXT, "title": TEXT},
    "re": {"guid": TEXT, "sentence": TEXT, "subject_entity": ENTITY, "object_entity": ENTITY},
}


def article(part: int, number: int) -> dict:
    return {
        "id": f"{part}-{number}",
        "url": "none",
        "title": f"제목 {part}",
        "text": f"{part}-{number:03d} " + "문장. " * 50,
    }


def page(part: int, number: int) -> dict:
    return {
        "text": f"{part}-{number:03d} " + "웹 글. " * 20,
        "id": f"<urn:{part}-{number}>",
        "dump": "CC-2024",
        "language_score": 0.99,
        "minhash_cluster_size": number,
    }


ARTICLES = [article(part, number) for part in range(2) for number in range(ROWS_A_FILE)]


def write_hub(folder: Path) -> None:
    """Wikipedia in two files, FineWeb-2 in four, YNAT and RE."""
    articles = {
        f"train-{part:05d}-of-00002": [article(part, number) for number in range(ROWS_A_FILE)]
        for part in range(2)
    }
    write_dataset(folder / "wikimedia/wikipedia", "20231101.ko", articles)
    pages = {
        f"train-{part:05d}": [page(part, number) for number in range(ROWS_A_FILE)]
        for part in range(4)
    }
    write_dataset(folder / "HuggingFaceFW/fineweb-2", "kor_Hang", pages)
    write_task(folder / "klue/klue", "ynat", YNAT)
    write_task(folder / "klue/klue", "re", RE)


def write_task(folder: Path, task: str, rows: list[dict]) -> None:
    """A task's train split in two files, and its validation split: the first seven rows."""
    names = TASKS[task].labels[::-1]  # not in the task's order: ids mustn't be taken as they are
    features = FEATURES[task] | {"label": {"names": names, "_type": "ClassLabel"}}
    stored = [row | {"label": len(names) - 1 - row["label"]} for row in rows]
    files = {
        "train-00000-of-00002": stored[:20],
        "train-00001-of-00002": stored[20:],
        "validation-00000-of-00001": stored[:7],
    }
    write_dataset(folder, task, files, features)


def write_dataset(
    folder: Path, config: str, files: dict[str, list[dict]], features: dict | None = None
) -> None:
    """One configuration in the Hub's layout, with the card that says which files are which
    split."""
    (folder / config).mkdir(parents=True, exist_ok=True)
    for name, rows in files.items():
        table = pa.Table.from_pylist(rows)
        if features:
            info = json.dumps({"info": {"features": features}})
            table = table.replace_schema_metadata({"huggingface": info})
        pq.write_table(table, folder / config / f"{name}.parquet")
    card = folder / "README.md"
    head = card.read_text("utf-8").removesuffix("---\n") if card.exists() else "---\nconfigs:\n"
    entry = f"- config_name: {config}\n  data_files:\n"
    for split in sorted({name.partition("-")[0] for name in files}):
        entry += f"  - split: {split}\n    path: {config}/{split}-*\n"
    card.write_text(f"{head}{entry}---\n", "utf-8")
