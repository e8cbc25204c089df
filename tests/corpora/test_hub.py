"""A Hub that fails ends in one message, within half a minute; one that recovers costs no row."""

import json
import math

import pyarrow.parquet as pq
import pytest

from corpora.hub import TIMEOUT
from tests.corpora.hub_client import ask, run_pipeline
from tests.corpora.hub_data import ARTICLES, WIKIPEDIA, YNAT
from tests.corpora.hub_server import REVISION, serve, serve_nothing, unused_port

HALF_A_MINUTE = 30
OTHER_REVISION = "f" * 40
KLUE = {"task": "ynat", "splits": ["train"]}


def check_messages(source, klue):
    assert "source 'wikipedia': Hub dataset wikimedia/wikipedia 20231101.ko at" in source.error
    assert "Check the network and HF_ENDPOINT" in source.error
    assert f"YNAT: the Hub dataset klue/klue ynat at revision {REVISION}" in klue.error
    assert "KLUE=folder" in klue.error


def test_a_hub_that_does_not_listen_is_given_up_at_once(tmp_path):
    answers = ask(unused_port(), tmp_path, WIKIPEDIA, KLUE)
    check_messages(*answers)
    assert all(answer.paused < HALF_A_MINUTE / 3 for answer in answers)


def test_a_hub_that_never_answers_is_given_up_within_half_a_minute(tmp_path):
    # huggingface_hub asks for this list, for at most 3 seconds, if it isn't there.
    (tmp_path / ".agent_harnesses.json").write_text('{"harnesses": {}}')
    with serve_nothing() as server:
        answers = ask(server.server_port, tmp_path, WIKIPEDIA, KLUE, timeout=0.2)
        num_connections = len(server.connections)
    check_messages(*answers)
    assert all("Timeout" in answer.error for answer in answers)
    assert num_connections == len(answers)
    assert all(answer.paused + TIMEOUT < HALF_A_MINUTE for answer in answers)


@pytest.fixture(scope="module")
def broken_off_once(hub, tmp_path_factory):
    """A home, the files that broke off once, and what was read in spite of it."""
    home = tmp_path_factory.mktemp("home")
    with serve(hub, drops=1, ending="train-00001-of-00002.parquet") as server:
        answers = ask(server.server_port, home, WIKIPEDIA, KLUE)
    return home, server.dropped, answers


def test_a_connection_that_breaks_off_once_loses_and_doubles_no_row(broken_off_once):
    _, dropped, (source, klue) = broken_off_once
    assert sorted(path.parent.name for path in dropped) == ["20231101.ko", "ynat"]
    assert [record[2] for record in source.records] == [row["text"] for row in ARTICLES]
    assert klue.records == [YNAT]
    assert not source.error
    assert not klue.error


def test_klue_is_read_again_without_a_network_but_never_at_another_revision(broken_off_once):
    home, _, _ = broken_off_once
    other = KLUE | {"revision": OTHER_REVISION}
    same, other = ask(unused_port(), home, KLUE, other, HF_HUB_OFFLINE="1")
    assert same.records == [YNAT]
    reason = f"(ConnectionError: only revision {REVISION} is in the cache)"
    assert f"revision {OTHER_REVISION} {reason}" in other.error


def test_connections_that_always_break_off_end_in_messages_within_half_a_minute(hub, tmp_path):
    with serve(hub, drops=math.inf) as server:
        answers = ask(server.server_port, tmp_path, WIKIPEDIA, KLUE)
    check_messages(*answers)
    assert all(0 < answer.paused < HALF_A_MINUTE for answer in answers)


def test_a_corpus_whose_second_part_breaks_off_goes_on_there(hub, tmp_path):
    keys = {"kind": "hub", "licence": "mine", "revision": REVISION, **WIKIPEDIA}
    recipe = 'title = "t"\ndescription = "d"\nvalidation_share = 0.1\n[[source]]\n'
    recipe += "".join(f'{key} = "{value}"\n' for key, value in keys.items())
    (tmp_path / "r.toml").write_text(recipe, "utf-8")
    command = ("corpus", "--recipe", "r.toml", "--workers", "1")
    with serve(hub, drops=math.inf, ending="train-00001-of-00002.parquet") as server:
        failed = run_pipeline(server.server_port, tmp_path, *command)
        assert failed.returncode == 1
        assert "Traceback" not in failed.stderr
        assert f"Hub dataset wikimedia/wikipedia 20231101.ko at {REVISION}" in failed.stderr
        assert "Finished parts are kept: run it again." in failed.stderr
        [kept] = tmp_path.glob("artifacts/corpus/*.partial/scratch/clean/wikipedia-*.json")
        first = kept.parent.parent / f"{kept.stem}.parquet"
        # A row less in the finished part shows in the corpus only if that part isn't read anew.
        pq.write_table(pq.read_table(first).slice(1), first)
        server.drops = 0
        done = run_pipeline(server.server_port, tmp_path, *command)
    assert done.returncode == 0, done.stderr
    [manifest] = tmp_path.glob("artifacts/corpus/*/manifest.json")
    counts = json.loads(manifest.read_text("utf-8"))["counts"]
    num_documents = counts["train"]["documents"] + counts["validation"]["documents"]
    assert num_documents == len(ARTICLES) - 1
