"""What reaches a command through make, and in which order make calls them."""

import subprocess
from pathlib import Path

import pytest

from tests.conftest import PROJECT, make_environment


def run_make(*arguments: str, folder: Path, says: str) -> str:
    """What a target's command gets, of which `says` is a line of shell that prints it.

    The environment isn't set up anew, and no command of the project runs.
    """
    stand_in = folder / "python"
    stand_in.write_text(f"#!/bin/sh\n{says}\n")
    stand_in.chmod(0o755)
    own = ("MAKEFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "MFLAGS", "DATA")
    environment = {name: text for name, text in make_environment().items() if name not in own}
    done = subprocess.run(
        ["make", "--old-file", ".venv/.ready", f"PY={stand_in}", *arguments],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_a_prompt_with_dollars_quotes_and_backquotes_arrives_through_make(tmp_path):
    prompt = "값은 $HOME ${x} $(ls) \"큰\" '작은' `date` # \\n 100%"
    says = 'printf %s "$KOREAN_GPT2_PROMPT"'
    assert run_make("generate", f"PROMPT={prompt}", folder=tmp_path, says=says) == prompt


def test_settings_arrive_through_make_as_words_of_the_shell(tmp_path):
    says = 'printf "%s\\n" "$@"'
    typed = "SET=klue.head='linear language' pretrain.steps=5"
    lines = run_make("status", typed, folder=tmp_path, says=says).splitlines()
    assert lines[-3:] == ["status", "klue.head=linear language", "pretrain.steps=5"]


def test_a_variable_that_is_not_given_is_no_option(tmp_path):
    says = "printenv | grep ^KOREAN_GPT2_ || true"
    assert run_make("report", "OUT=here", folder=tmp_path, says=says) == "KOREAN_GPT2_OUT=here\n"


SAY_WHEN = """\
shift 2
echo "$1 begins"
test "$1" != klue-check || sleep 1
echo "$1 ends"
"""
"""A stand-in for a command, of which the check takes longer than what could start beside it."""
WHEN = ("begins", "ends")
SHUTDOWN = {"TORCH_ELASTIC_SHUTDOWN_TIMEOUT": "40"}
CHAIN = ["corpus", "tokenizer", "tokens", "pretrain"]


@pytest.mark.parametrize(
    "typed, commands",
    [
        (["klue-eval"], ["klue-check", *CHAIN, "klue-eval"]),
        (["klue-prompt"], ["klue-check", *CHAIN, "klue-prompt"]),
        (["klue-eval", "MODEL=a-model"], ["klue-check", "klue-eval"]),
        (["klue-check"], ["klue-check"]),
        (["pretrain"], CHAIN),
    ],
)
def test_klues_check_comes_first_when_make_runs_several_at_once(tmp_path, typed, commands):
    printed = run_make("-j8", *typed, folder=tmp_path, says=SAY_WHEN)
    assert printed.splitlines() == [f"{each} {what}" for each in commands for what in WHEN]


LAUNCHED = 'echo "$TORCH_ELASTIC_SHUTDOWN_TIMEOUT $2 $*"'


@pytest.mark.parametrize("given, passed_on", [({}, "300"), (SHUTDOWN, "40")])
def test_several_processes_get_the_time_for_a_large_checkpoint(
    tmp_path, monkeypatch, given, passed_on
):
    monkeypatch.delenv("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    printed = run_make("pretrain", "GPUS=2", folder=tmp_path, says=LAUNCHED).splitlines()[-1]
    assert printed.startswith(f"{passed_on} pipeline.torchrun -m pipeline.torchrun --standalone ")
    assert printed.endswith("--nproc-per-node 2 -m pipeline pretrain")
