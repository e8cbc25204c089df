"""What several test files share: settings of a tiny run, and the real text where DATA= names it."""

import os
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest

# Other work on the machine is no fault of the code.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")
PROJECT = Path(__file__).parent.parent

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


@pytest.fixture(scope="session")
def tiny_preset(tmp_path_factory) -> Path:
    """A preset file of a run that takes seconds."""
    path = tmp_path_factory.mktemp("preset") / "tiny.toml"
    path.write_text(TINY_PRESET)
    return path


@pytest.fixture(scope="session")
def built(tmp_path_factory, tiny_preset) -> Path:
    """A folder whose artifacts/ holds a whole tiny run on the sample, built once for all tests."""
    folder = tmp_path_factory.mktemp("built")
    for stage in STAGES:
        run_pipeline(stage, "--preset", tiny_preset, folder=folder)
    return folder


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
