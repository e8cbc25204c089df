"""What several test files share: settings of a tiny run, and the real text where DATA= names it."""

import contextlib
import io
import os
import shutil
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from unittest import mock

import hypothesis
import pytest

from pipeline.artifacts.locks import locked

# Other work on the machine is no fault of the code.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")
PROJECT = Path(__file__).parent.parent
collect_ignore = ["clients"]  # in an environment of their own: make test-clients

TINY_PRESET = """
[corpus]
recipe = "sample"
[tokenizer]
vocab_size = 1024
sample_bytes = 200_000
[pretrain]
layers = 2
width = 32
heads = 2
context = 32
steps = 40
batch_size = 4
micro_batch_size = 2
warmup_steps = 4
compile = false
checkpoint_minutes = 0.01
validations = 2
log_every = 5
[klue]
data = "sample"
tasks = ["ynat", "sts"]
seeds = 1
control = false
epochs = { ynat = 1, sts = 1 }
max_length = 64
"""
STAGES = ("corpus", "tokenizer", "tokens", "pretrain", "klue-eval")


def make_environment(**more: str) -> dict[str, str]:
    """An environment in which the project's commands run, offline.

    Make's variables, which `make test` passes on, would be options of every command.
    """
    kept = {name: text for name, text in os.environ.items() if not name.startswith("KOREAN_GPT2_")}
    return kept | {
        "PYTHONPATH": str(PROJECT),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONUTF8": "1",
        **more,
    }


def run_pipeline(
    *arguments: str | Path, folder: Path, check: bool = True, **options
) -> subprocess.CompletedProcess[str]:
    """The command as users run it, in a process of its own, with artifacts under `folder`."""
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *map(str, arguments)],
        cwd=folder,
        env=make_environment(),
        text=True,
        capture_output=True,
        timeout=300,
        check=False,
        **options,
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def call_pipeline(*arguments: str | Path, folder: Path) -> str:
    """The same command in this process, whose libraries are loaded; returns what it printed.

    Raises what it raises. As in a process of its own, warnings are no errors.
    """
    from pipeline.cli import app

    printed = io.StringIO()
    handler = signal.getsignal(signal.SIGTERM)
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(printed),
        mock.patch.dict(os.environ, make_environment(), clear=True),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("default")
        try:
            app([*map(str, arguments)], standalone_mode=False)
        finally:
            signal.signal(signal.SIGTERM, handler)
    return printed.getvalue()


@pytest.fixture(scope="session")
def tiny_preset(tmp_path_factory) -> Path:
    """A preset file of a run that takes seconds."""
    path = tmp_path_factory.mktemp("preset") / "tiny.toml"
    path.write_text(TINY_PRESET)
    return path


@pytest.fixture(scope="session")
def built(tmp_path_factory, tiny_preset) -> Path:
    """A folder whose artifacts/ holds a whole tiny run on the sample, built once for all tests.

    Of several processes that run tests the first one builds it, and the others wait.
    """
    base = tmp_path_factory.getbasetemp()
    common = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = common / "built"
    folder.mkdir(exist_ok=True)
    with locked(common / "built.lock"):
        for stage in STAGES if not (folder / "artifacts/tiny/klue").exists() else ():
            run_pipeline(stage, "--preset", tiny_preset, folder=folder)
    return folder


@pytest.fixture
def copy(built, tmp_path) -> Path:
    """A folder with a copy of the built artifacts, which a test may damage."""
    shutil.copytree(built / "artifacts", tmp_path / "artifacts", symlinks=True)
    return tmp_path


@pytest.fixture(scope="session")
def exported(built, tiny_preset, tmp_path_factory) -> Path:
    """The folder that `make export` makes of the built model."""
    out = tmp_path_factory.mktemp("exported") / "model"
    run_pipeline("export", "--preset", tiny_preset, "--out", out, folder=built)
    return out


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real text and KLUE that DATA= names."""
    folder = os.environ.get("DATA")
    if not folder:
        pytest.skip("DATA= names no folder of real text: this test was NOT run")
    return Path(folder).resolve()


@pytest.fixture
def ray_cluster(monkeypatch):
    """A Ray cluster of two nodes with one core each on this machine, at RAY_ADDRESS."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    try:
        cluster.add_node(num_cpus=1)
        monkeypatch.setenv("RAY_ADDRESS", cluster.address)
        yield cluster
    finally:
        cluster.shutdown()
