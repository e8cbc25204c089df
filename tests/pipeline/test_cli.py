"""The command line: which command takes which options, how make's variables arrive, and how a wrong
input ends."""

import os
import re
import subprocess
import sys
from pathlib import Path
from unicodedata import normalize

import pytest
import typer
from typer.testing import CliRunner

from pipeline.cli import app, main
from pipeline.cli_options import Device, Engine, Format, Head, Quant
from tests.conftest import PROJECT, make_environment

COMMON = {"preset", "artifacts"}
ENGINES = {"gpus", "workers", "engine", "shard", "merge"}
OPTIONS = {
    "corpus": {"recipe", "data", "init", "workers", "engine", "shard", "merge"},
    "tokenizer": {"recipe", "data", "init", "workers"},
    "tokens": {"recipe", "data", "init", "workers", "engine", "shard", "merge"},
    "pretrain": {"recipe", "data", "init", "device"},
    "klue-eval": {
        "recipe",
        "data",
        "klue",
        "tasks",
        "init",
        "model",
        "seeds",
        "control",
        "device",
        *ENGINES,
    },
    "klue-prompt": {"recipe", "data", "klue", "tasks", "init", "model", "seeds", "device"},
    "klue-check": {"recipe", "data", "klue", "tasks", "init", "model", "claim"},
    "recipe": {"data", "out"},
    "task": {"data", "out"},
    "tokenizer-report": {"klue", "tokenizers", "out"},
    "report": {"out"},
    "status": {"recipe", "data", "klue", "tasks", "init", "model", "seeds", "control"},
    "plan": {"init", "device", "gpus", "hardware"},
    "scaling": {"recipe", "data", "device"},
    "claim": {
        "recipe",
        "data",
        "klue",
        "tasks",
        "init",
        "model",
        "seeds",
        "control",
        "claim",
        "device",
    },
    "generate": {"model", "device", "prompt"},
    "predict": {"model", "device", "task", "text", "text2", "file", "head"},
    "export": {"model", "format", "quant", "out"},
    "publish": {"model", "format", "quant", "repo", "yes"},
}
"""Beside those in COMMON."""

ARRIVING = {
    "PRESET": ("corpus", "laptop", "laptop"),
    "RECIPE": ("corpus", "my own.toml", "my own.toml"),
    "DATA": ("corpus", "/text", Path("/text")),
    "KLUE": ("klue-eval", "/klue", "/klue"),
    "TASKS": ("klue-eval", "ynat my.toml", "ynat my.toml"),
    "INIT": ("pretrain", "owner/name@main", "owner/name@main"),
    "MODEL": ("klue-eval", "a model", "a model"),
    "SEEDS": ("klue-eval", "1", "1"),
    "CONTROL": ("klue-eval", "0", "0"),
    "DEVICE": ("pretrain", "cpu", Device.cpu),
    "WORKERS": ("tokens", "3", 3),
    "ENGINE": ("corpus", "ray", Engine.ray),
    "SHARD": ("corpus", "2/16", (2, 16)),
    "MERGE": ("tokens", "1", True),
    "OUT": ("export", "a folder", Path("a folder")),
    "FORMAT": ("export", "gguf", Format.gguf),
    "QUANT": ("export", "q8_0", Quant.q8_0),
    "REPO": ("publish", "owner/name", "owner/name"),
    "YES": ("publish", "1", True),
    "TOKENIZERS": ("tokenizer-report", "a 'b c'", "a 'b c'"),
    "PROMPT": ("generate", "a $b \"c\" `d` 'e'", "a $b \"c\" `d` 'e'"),
    "TASK": ("predict", "my task.toml", "my task.toml"),
    "TEXT": ("predict", "a $b \"c\" `d` 'e'", "a $b \"c\" `d` 'e'"),
    "TEXT2": ("predict", "둘째 글", "둘째 글"),
    "FILE": ("predict", "a file.tsv", Path("a file.tsv")),
    "HEAD": ("predict", "joint", Head.joint),
    "CLAIM": ("claim", "layers", "layers"),
    "GPUS": ("plan", "8", 8),
    "HARDWARE": ("plan", "H100", "H100"),
}
"""Variable -> a command that reads it, what is typed, and what the command gets."""
OF_THE_BENCHMARKS = {"BENCH", "PEERS"}


COMMANDS = typer.main.get_command(app).commands


def makefile() -> str:
    return (PROJECT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", [*COMMANDS])
def test_every_command_shows_its_own_options_and_no_others(command):
    shown = CliRunner().invoke(app, [command, "--help"]).output
    found = set(re.findall(r"^  --([a-z0-9-]+)", shown, re.MULTILINE)) - {"help"}
    wanted = OPTIONS.get(command, set()) | COMMON
    if command == "settings":
        wanted = {"preset"}
    if command == "clean":
        wanted = {"artifacts"}
    if command in ("recipe", "task"):
        wanted = {"data", "out"}
    assert found == wanted


def test_every_command_of_the_makefile_is_one():
    called = set(re.findall(r"(?:RUN|LAUNCH)\) ([a-z-]+)", makefile()))
    assert called <= set(COMMANDS)
    assert called >= set(OPTIONS)


def test_every_documented_variable_is_passed_on():
    (listed,) = re.findall(r"^VARIABLES := ((?:.*\\\n)*.*)", makefile(), re.MULTILINE)
    assert set(listed.replace("\\", "").split()) == set(ARRIVING) | OF_THE_BENCHMARKS


@pytest.mark.parametrize("variable", ARRIVING)
def test_every_variable_arrives_as_it_was_typed(variable, monkeypatch):
    for name in ARRIVING:
        monkeypatch.delenv(f"KOREAN_GPT2_{name}", raising=False)
    command, typed, wanted = ARRIVING[variable]
    monkeypatch.setenv(f"KOREAN_GPT2_{variable}", typed)
    arrived = COMMANDS[command].make_context(command, [])
    assert arrived.params[variable.lower()] == wanted


def test_data_in_another_normal_form_is_the_folder_that_is_there(tmp_path, monkeypatch):
    folder = tmp_path / normalize("NFD", "자료")
    folder.mkdir()
    monkeypatch.setenv("KOREAN_GPT2_DATA", str(tmp_path / normalize("NFC", "자료")))
    assert COMMANDS["corpus"].make_context("corpus", []).params["data"] == folder


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["corpus", "--preset", "dmeo"], "demo"),
        (["corpus", "pretrain.stepz=3"], "steps"),
        (["corpus", "--recipe", "no-such"], "no-such"),
        (["corpus", "--recipe", "local"], "DATA="),
        (["corpus", "--recipe", "local", "--data", "/no/such"], "/no/such"),
        (["corpus", "--workers", "0"], "WORKERS=0"),
        (["generate", "--model", "/no/such"], "/no/such"),
        (["export"], "OUT"),
        (["report"], "make klue-eval PRESET=demo"),
        (["corpus", "steps"], "key=value"),
    ],
)
def test_a_wrong_input_ends_in_one_message(tmp_path, monkeypatch, arguments, said):
    for name in ARRIVING:  # such as DATA=, with which these tests may have been started
        monkeypatch.delenv(f"KOREAN_GPT2_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["pipeline", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    message = str(ended.value.code)
    assert message.startswith("error: ")
    assert said in message
    assert "\n" not in message
    assert not list(tmp_path.glob("artifacts/*/*/manifest.json"))


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["corpus", "--shard", "3/2"], "give i/n with i from 1 to n"),
        (["pretrain", "--device", "tpu"], "tpu"),
        (["corpus", "--klue", "sample"], "No such option"),
        (["corpsu"], "No such command"),
    ],
)
def test_a_wrong_option_is_named_with_the_commands_usage(
    tmp_path, monkeypatch, capsys, arguments, said
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["pipeline", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_command_that_fails_exits_with_1_and_its_message_on_stderr(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "export"],
        cwd=tmp_path,
        env=make_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: export: say where to with OUT=folder.")
    assert "Traceback" not in done.stderr


def test_a_reader_that_stops_early_is_no_error(tmp_path):
    """`make settings | head`."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "settings"],
        cwd=tmp_path,
        env=make_environment(),
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert done.stderr == ""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere Arrow has no jemalloc")
def test_commands_have_arrow_take_memory_from_jemalloc(tmp_path):
    """Its writers take theirs from the default allocator of the process, whatever Python sets."""
    code = (
        "import atexit, sys\n"
        "def show():\n"
        "    import pyarrow\n"
        "    print(pyarrow.default_memory_pool().backend_name)\n"
        "atexit.register(show)\n"
        "sys.argv = ['pipeline', 'clean']\n"
        "from pipeline.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=make_environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "jemalloc"
