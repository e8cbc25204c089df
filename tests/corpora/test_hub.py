"""A Hub's rows arrive whole and in order; a Hub that fails ends in one message, within half a minute."""
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpora.tasks.task import SPLITS, TASKS
from tests.corpora.hub_server import REVISION, run_python, serve, silent_port

HALF_A_MINUTE = 30
"""Seconds after which a Hub that doesn't answer must have been given up, the imports of datasets included."""
ROWS_A_FILE = 400
NOTHING = "f" * 40
WIKIPEDIA = {"name": "wikipedia", "dataset": "wikimedia/wikipedia", "config": "20231101.ko", "title": "title"}
WEB = {"name": "web", "dataset": "HuggingFaceFW/fineweb-2", "config": "kor_Hang"}
YNAT = [{"guid": f"ynat-{number}", "title": f"제목 {number}", "label": number % 7} for number in range(50)]
RE = [{"guid": f"re-{number}", "sentence": "한빛전자는 김하늘이 세웠다.", "label": number,
       "subject_entity": {"word": "한빛전자", "start_idx": 0, "end_idx": 3, "type": "ORG"},
       "object_entity": {"word": "김하늘", "start_idx": 6, "end_idx": 8, "type": "PER"}} for number in range(30)]
READ = """
import json, sys
from corpora.errors import UserError
from corpora.recipe import Source
from corpora.sources.shards import Shard
from corpora.sources.hub import open_hub, read_hub
source = Source(kind="hub", licence="mine", **{settings!r})
try:
    parts = open_hub(source).num_shards
    for part in range(parts):
        for record in read_hub(Shard(0, source, part=part, parts=parts)):
            print(json.dumps([part, *record]))
except UserError as error:
    sys.exit(f"UserError: {{error}}")
"""
READ_KLUE = """
import json, sys
from corpora.errors import UserError
from corpora.tasks.rows import load_rows
from corpora.tasks.task import TASKS
try:
    for split in {splits!r}:
        print(json.dumps(load_rows("hub", TASKS[{task!r}], split, {revision!r})))
except UserError as error:
    sys.exit(f"UserError: {{error}}")
"""


def write_dataset(folder: Path, config: str, files: dict[str, list[dict]], features: dict | None = None) -> None:
    """One configuration in the Hub's layout, with the card that says which files are which split."""
    (folder / config).mkdir(parents=True, exist_ok=True)
    for name, rows in files.items():
        table = pa.Table.from_pylist(rows)
        if features:
            table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
        pq.write_table(table, folder / config / f"{name}.parquet")
    splits = sorted({name.partition("-")[0] for name in files})
    card = folder / "README.md"
    head = card.read_text("utf-8").removesuffix("---\n") if card.exists() else "---\nconfigs:\n"
    card.write_text(f"{head}- config_name: {config}\n  data_files:\n" + "".join(
        f"  - split: {split}\n    path: {config}/{split}-*\n" for split in splits) + "---\n", "utf-8")


def article(part: int, number: int) -> dict:
    return {"id": f"{part}-{number}", "url": "none", "title": f"제목 {part}",
            "text": f"{part}-{number:03d} " + "문장. " * 50}


def page(part: int, number: int) -> dict:
    return {"text": f"{part}-{number:03d} " + "웹 글. " * 20, "id": f"<urn:{part}-{number}>", "dump": "CC-2024",
            "language_score": 0.99, "minhash_cluster_size": number}


ARTICLES = [article(part, number)["text"] for part in range(2) for number in range(ROWS_A_FILE)]


@pytest.fixture(scope="session")
def hub(tmp_path_factory) -> Path:
    """A folder with Wikipedia (two files), FineWeb-2 (four) and KLUE (YNAT, RE) in the shape that the Hub has them."""
    folder = tmp_path_factory.mktemp("hub")
    write_dataset(folder / "wikimedia/wikipedia", "20231101.ko", {
        f"train-{part:05d}-of-00002": [article(part, number) for number in range(ROWS_A_FILE)] for part in range(2)})
    write_dataset(folder / "HuggingFaceFW/fineweb-2", "kor_Hang", {
        f"train-{part:05d}": [page(part, number) for number in range(ROWS_A_FILE)] for part in range(4)})
    for task, rows in (("ynat", YNAT), ("re", RE)):
        text = {"dtype": "string", "_type": "Value"}
        number = {"dtype": "int32", "_type": "Value"}
        entity = {"word": text, "start_idx": number, "end_idx": number, "type": text}
        names = TASKS[task].labels[::-1]  # another order than the task's: ids must not be taken as they are
        features = {"guid": text, "title": text} if task == "ynat" else {
            "guid": text, "sentence": text, "subject_entity": entity, "object_entity": entity}
        features |= {"label": {"names": names, "_type": "ClassLabel"}}
        stored = [{name: row[name] for name in features} | {"label": len(names) - 1 - row["label"]} for row in rows]
        write_dataset(folder / "klue/klue", task, {
            "train-00000-of-00002": stored[:20], "train-00001-of-00002": stored[20:],
            "validation-00000-of-00001": stored[:7]}, features)
    return folder


def read_source(port: int, home: Path, timeout: float = 60, **settings) -> subprocess.CompletedProcess:
    return run_python(port, home, "-c", READ.format(settings={"revision": REVISION, **settings}), timeout=timeout)


def read_klue(port: int, home: Path, task: str = "ynat", revision: str = REVISION, splits=("train",),
              timeout: float = 60, **environment) -> subprocess.CompletedProcess:
    code = READ_KLUE.format(task=task, revision=revision, splits=splits)
    return run_python(port, home, "-c", code, timeout=timeout, **environment)


def read_both(port: int, home: Path, timeout: float = HALF_A_MINUTE) -> list[subprocess.CompletedProcess]:
    """Wikipedia and KLUE, each in its own process, at the same time: they spend it waiting."""
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(read_source, port, home, timeout, **WIKIPEDIA),
                pool.submit(read_klue, port, home, timeout=timeout)]
        return [run.result() for run in runs]


def texts_of(done: subprocess.CompletedProcess) -> list[str]:
    return [json.loads(line)[2] for line in done.stdout.splitlines()]


def message_of(done: subprocess.CompletedProcess) -> str:
    """What a run that has to fail says last, which is one line and no traceback."""
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    message = done.stderr.strip().splitlines()[-1]
    assert message.startswith("UserError: ")
    return message


def test_wikipedia_is_streamed_with_its_titles_a_file_a_part(hub, tmp_path):
    with serve(hub) as server:
        done = read_source(server.server_port, tmp_path, **WIKIPEDIA)
    assert done.returncode == 0, done.stderr
    expected = [article(part, number) for part in range(2) for number in range(ROWS_A_FILE)]
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record[2:4] for record in records] == [[row["text"], row["title"]] for row in expected]
    assert records[0][:2] == [0, "wikimedia/wikipedia/0:1"] and records[-1][:2] == [1, "wikimedia/wikipedia/1:400"]


def test_a_byte_budget_is_spread_evenly_over_the_parts(hub, tmp_path):
    size = len(page(0, 0)["text"].encode())
    with serve(hub) as server:
        done = read_source(server.server_port, tmp_path, byte_budget=4 * 5 * size, **WEB)
        assert texts_of(done) == [page(part, number)["text"] for part in range(4) for number in range(5)], done.stderr


def test_only_skips_the_rows_of_others_and_their_bytes(hub, tmp_path):
    size = len(page(0, 0)["text"].encode())
    with serve(hub) as server:
        done = read_source(server.server_port, tmp_path, only=("<urn:1-1", "<urn:3-30"),
                           byte_budget=4 * 12 * size, **WEB)
        missing = message_of(read_source(server.server_port, tmp_path, only=("a",), **WEB | {"id": "name"}))
    numbers = [number for number in range(ROWS_A_FILE) if str(number).startswith("1")][:12]
    assert texts_of(done) == [page(1, number)["text"] for number in numbers] + [
        page(3, number)["text"] for number in (30, *range(300, 310))]
    assert "says id = 'name', but the columns are 'text', 'id', 'dump'" in missing


@pytest.mark.parametrize("task, rows", [("ynat", YNAT), ("re", RE)])
def test_klue_is_read_from_all_files_of_a_split_with_labels_by_name(hub, tmp_path, task, rows):
    with serve(hub) as server:
        done = read_klue(server.server_port, tmp_path, task, splits=SPLITS)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()] == [rows, rows[:7]]


def test_klue_is_read_again_without_a_network_but_never_at_another_revision(hub, tmp_path):
    with serve(hub) as server:
        assert read_klue(server.server_port, tmp_path).returncode == 0
    same, other = (read_klue(server.server_port, tmp_path, revision=revision, HF_HUB_OFFLINE="1")
                   for revision in (REVISION, NOTHING))
    assert json.loads(same.stdout) == YNAT, same.stderr
    assert f"revision {NOTHING} (ConnectionError: only revision {REVISION} is in the cache)" in message_of(other)


def test_a_connection_that_breaks_off_once_is_taken_up_again_without_a_row_lost_or_doubled(hub, tmp_path):
    with serve(hub, drops=1, ending="train-00001-of-00002.parquet") as server:
        source = read_source(server.server_port, tmp_path, **WIKIPEDIA)
        assert server.drops == 0
        server.drops = 1
        klue = read_klue(server.server_port, tmp_path)
        assert server.drops == 0
    assert texts_of(source) == ARTICLES, source.stderr
    assert json.loads(klue.stdout) == YNAT, klue.stderr


def test_a_klue_that_always_breaks_off_ends_in_one_message(hub, tmp_path):
    with serve(hub, drops=-1) as server:
        message = message_of(read_klue(server.server_port, tmp_path, timeout=HALF_A_MINUTE))
    assert f"YNAT: the Hub dataset klue/klue ynat at revision {REVISION}" in message and "KLUE=folder" in message


def test_a_corpus_whose_second_part_always_breaks_off_ends_in_one_message_and_goes_on_there(hub, tmp_path):
    keys = {"kind": "hub", "licence": "mine", "revision": REVISION, **WIKIPEDIA}
    (tmp_path / "r.toml").write_text('title = "t"\ndescription = "d"\nvalidation_share = 0.1\n[[source]]\n' + "".join(
        f'{key} = "{value}"\n' for key, value in keys.items()), "utf-8")
    command = ("-m", "pipeline", "corpus", "--recipe", "r.toml", "--workers", "1")
    with serve(hub, drops=-1, ending="train-00001-of-00002.parquet") as server:
        failed = run_python(server.server_port, tmp_path, *command, timeout=60)  # libraries try again for 23 s
        assert failed.returncode == 1 and "Traceback" not in failed.stderr
        assert f"source 'wikipedia': Hub dataset wikimedia/wikipedia 20231101.ko at {REVISION}" in failed.stderr
        assert "Check the network and HF_ENDPOINT" in failed.stderr and "Finished parts are kept" in failed.stderr
        [kept] = tmp_path.glob("artifacts/corpus/*.partial/scratch/clean/wikipedia-*.json")
        first = kept.parent.parent / f"{kept.stem}.parquet"
        # A row less in the finished part shows in the corpus only if that part isn't read anew.
        pq.write_table(pq.read_table(first).slice(1), first)
        server.drops = 0
        done = run_python(server.server_port, tmp_path, *command, timeout=60)
    assert done.returncode == 0, done.stderr
    [manifest] = tmp_path.glob("artifacts/corpus/*/manifest.json")
    counts = json.loads(manifest.read_text("utf-8"))["counts"]
    assert counts["train"]["documents"] + counts["validation"]["documents"] == len(ARTICLES) - 1


@pytest.mark.parametrize("settings, expected", [
    ({"revision": NOTHING}, "RevisionNotFound"),
    ({"dataset": "nobody/nothing"}, "RepositoryNotFound"),
    ({"config": "20231101.xx"}, "BuilderConfig '20231101.xx' not found. Available: ['20231101.ko']"),
    ({"subset": "trian"}, "trian"),
    ({"text": "body"}, "the columns are 'id', 'url', 'title', 'text': set text to the right one"),
])
def test_what_the_hub_does_not_have_is_named(hub, tmp_path, settings, expected):
    with serve(hub) as server:
        message = message_of(read_source(server.server_port, tmp_path, HALF_A_MINUTE, **WIKIPEDIA | settings))
    assert "source 'wikipedia'" in message and expected in message


@pytest.mark.parametrize("task, revision, expected", [
    ("ynat", NOTHING, f"YNAT: the Hub dataset klue/klue ynat at revision {NOTHING} (RevisionNotFound"),
    ("nli", REVISION, "NLI: the Hub dataset klue/klue nli at revision 0123456789abcdef"),
])
def test_klue_that_the_hub_does_not_have_is_named(hub, tmp_path, task, revision, expected):
    with serve(hub) as server:
        message = message_of(read_klue(server.server_port, tmp_path, task, revision, timeout=HALF_A_MINUTE))
    assert expected in message and "KLUE=folder" in message


@pytest.mark.parametrize("accept", [False, True], ids=["nothing listens", "never answers"])
def test_a_hub_that_cannot_be_had_is_given_up_within_half_a_minute(tmp_path, accept):
    with silent_port(accept) as port:
        source, klue = map(message_of, read_both(port, tmp_path))
    assert "source 'wikipedia'" in source and "Check the network and HF_ENDPOINT" in source
    assert klue.startswith("UserError: can't read YNAT") and "KLUE=folder" in klue
