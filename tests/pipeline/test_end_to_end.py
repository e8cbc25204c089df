"""The very commands users run, shrunk: the whole chain, what changes rebuild, and what a broken run leaves."""
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.stages.pretrain import PROMPTS
from tests.conftest import PROJECT, run_pipeline

STAGES = ("corpus", "tokenizer", "tokens", "pretrain", "klue-eval")
LOADED_OUTSIDE = """
import hashlib, json, sys
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = AutoModelForCausalLM.from_pretrained(sys.argv[1]).eval()
ids = tokenizer("대한민국은 민주공화국이다.\\n<s> ㅋㅋ 🙂", return_tensors="pt")["input_ids"][:, :30]
with torch.no_grad():
    print(json.dumps([ids.tolist(), hashlib.sha256(model(ids).logits.numpy().tobytes()).hexdigest(),
                      [name for name in sys.modules if name.split(".")[0] in ("pipeline", "tokenizer", "corpora")]]))
"""


@pytest.fixture
def copy(built, tmp_path):
    """A copy of the built artifacts that a test may damage."""
    shutil.copytree(built / "artifacts", tmp_path / "artifacts", symlinks=True)
    return tmp_path


def manifest(folder: Path, stage: str) -> dict:
    return json.loads((folder / "artifacts/tiny" / stage / "manifest.json").read_text())


def test_every_stage_leaves_a_finished_artifact(built):
    for stage in ("corpus", "tokenizer", "tokens", "pretrain", "klue"):
        assert manifest(built, stage)["counts"]
        assert not list((built / "artifacts" / stage).glob("*.partial"))


def test_the_table_says_that_it_is_sample_data(built):
    assert "sample data, not KLUE" in (built / "artifacts/tiny/klue/table.md").read_text()


def test_bits_per_byte_counts_the_bytes_of_the_validation_text(built):
    import pyarrow.parquet
    texts = [text for path in (built / "artifacts/tiny/corpus/validation").glob("*.parquet")
             for text in pyarrow.parquet.read_table(path)["text"].to_pylist()]
    assert manifest(built, "pretrain")["counts"]["validation_bytes"] == sum(len(text.encode()) for text in texts)


def test_tokenizers_are_compared_on_the_same_text_by_folder_and_by_file(copy, tiny_preset):
    folder = copy / "artifacts/tiny/tokenizer"
    done = run_pipeline("tokenizer-report", "--preset", tiny_preset, "--out", copy / "out", "--tokenizers",
                        f"{folder} {folder / 'sentencepiece.model'}", folder=copy)
    reports = json.loads((copy / "out/report.json").read_text(encoding="utf-8"))
    assert [report["name"] for report in reports] == ["this tokenizer", "tokenizer", "sentencepiece.model"]
    assert reports[0]["kinds"] == reports[1]["kinds"] == reports[2]["kinds"]
    assert {"sample YNAT", "sample NLI", "sample STS", "sample RE"} < reports[0]["kinds"].keys()
    assert "| this tokenizer |" in done.stdout
    (copy / "damaged.model").write_bytes(b"damaged")
    for wrong, said in (("/no/such", "/no/such"), (copy / "damaged.model", "damaged.model: no SentencePiece model")):
        done = run_pipeline("tokenizer-report", "--preset", tiny_preset, "--tokenizers", wrong, folder=copy, check=False)
        assert done.returncode == 1 and said in done.stderr and "Traceback" not in done.stderr
    (folder / "tokenizer.json").write_text("{broken")
    done = run_pipeline("tokenizer-report", "--preset", tiny_preset, folder=copy, check=False)
    assert done.returncode == 1 and "tokenizer.json" in done.stderr and "Traceback" not in done.stderr


def test_an_unchanged_run_returns_at_once_without_heavy_imports(built, tiny_preset):
    for stage in STAGES:
        done = subprocess.run([sys.executable, "-X", "importtime", "-m", "pipeline", stage, "--preset", tiny_preset],
                              cwd=built, env=os.environ | {"PYTHONPATH": str(PROJECT)}, text=True, capture_output=True)
        assert "up to date" in done.stdout
        imported = {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines()}
        assert "json" in imported
        assert not imported & {"torch", "transformers", "datasets", "numpy", "pyarrow", "sentencepiece", "tqdm", "konlpy"}


def test_a_changed_setting_rebuilds_its_stage_and_those_after_it_only(copy, tiny_preset):
    change = ("--preset", tiny_preset, "tokenizer.vocab_size=1152")
    assert "up to date" in run_pipeline("corpus", *change, folder=copy).stdout
    assert "building" in run_pipeline("tokenizer", *change, folder=copy).stdout
    assert "building" in run_pipeline("tokens", *change, folder=copy).stdout
    # The old ones are still there: going back costs nothing.
    assert "up to date" in run_pipeline("pretrain", "--preset", tiny_preset, folder=copy).stdout


def test_status_says_why_a_stage_is_stale(copy, tiny_preset):
    text = run_pipeline("status", "--preset", tiny_preset, "pretrain.steps=41", folder=copy).stdout
    assert "steps: 40 -> 41" in text
    assert text.count(" built ") == 3


def test_a_stage_before_its_inputs_says_what_to_run(tmp_path, tiny_preset):
    done = run_pipeline("pretrain", "--preset", tiny_preset, folder=tmp_path, check=False)
    assert done.returncode == 1
    assert "make pretrain" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("stage, file, next_stage", [
    ("corpus", "train", "tokenizer"), ("tokens", "train", "pretrain"), ("pretrain", "model.safetensors", "klue-eval")])
def test_a_flipped_bit_stops_the_next_stage_with_the_files_name(copy, tiny_preset, stage, file, next_stage):
    path = copy / "artifacts/tiny" / stage / file
    path = sorted(path.iterdir())[0] if path.is_dir() else path
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    own = {"tokenizer": "tokenizer.seed=2", "pretrain": "pretrain.seed=2", "klue-eval": "klue.batch_size=8"}[next_stage]
    done = run_pipeline(next_stage, "--preset", tiny_preset, own, folder=copy, check=False)
    assert done.returncode == 1
    assert path.name in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments, said", [
    (["corpus", "--preset", "dmeo"], "demo"), (["corpus", "pretrain.stepz=3"], "steps"),
    (["corpus", "--recipe", "no-such"], "no-such"), (["corpus", "--recipe", "local"], "DATA="),
    (["corpus", "--recipe", "local", "--data", "/no/such"], "/no/such"),
    (["generate", "--model", "/no/such"], "/no/such"), (["export"], "OUT"), (["corpus", "steps"], "key=value")])
def test_wrong_input_gets_one_message_and_a_non_zero_exit(tmp_path, arguments, said):
    done = run_pipeline(*arguments, folder=tmp_path, check=False)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("artifacts/*/*/manifest.json"))


def test_a_fault_in_klues_rows_is_told_before_anything_is_trained(tmp_path):
    shutil.copytree(PROJECT / "corpora/sample/klue", tmp_path / "klue")
    path = tmp_path / "klue/nli/train.jsonl"
    path.write_text(path.read_text().replace('"label": 1', '"label": 7', 1))
    done = run_pipeline("klue-eval", "--check", "--klue", tmp_path / "klue", folder=tmp_path, check=False)
    assert done.returncode == 1
    assert "label 7" in done.stderr and "nli/train.jsonl:" in done.stderr


def test_kill_9_at_any_moment_of_pretraining_changes_nothing(built, copy, tiny_preset):
    straight = manifest(built, "pretrain")
    shutil.rmtree((copy / "artifacts/tiny/pretrain").resolve())
    environment = os.environ | {"PYTHONPATH": str(PROJECT), "HF_HUB_OFFLINE": "1"}
    metrics = copy / "artifacts/pretrain" / f"{straight['key']}.partial" / "logs/metrics.jsonl"
    for kill_after in (5, 15, 30):
        process = subprocess.Popen([sys.executable, "-m", "pipeline", "pretrain", "--preset", tiny_preset,
                                    "pretrain.checkpoint_minutes=0.0001", "pretrain.log_every=1"],
                                   cwd=copy, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(6000):
            if process.poll() is not None:
                break
            if metrics.exists() and f'"step": {kill_after},' in metrics.read_text():
                break
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert not (copy / "artifacts/pretrain" / straight["key"]).exists()
    run_pipeline("pretrain", "--preset", tiny_preset, folder=copy)
    resumed = manifest(copy, "pretrain")
    assert resumed["counts"]["resumes"] == 3
    assert resumed["files"]["model.safetensors"] == straight["files"]["model.safetensors"]


@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_two_processes_write_one_artifact_like_that_of_one(built, copy, tiny_preset, parallel):
    alone = manifest(built, "pretrain")["counts"]
    shutil.rmtree((copy / "artifacts/tiny/pretrain").resolve())
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "pipeline", "pretrain",
               "--preset", tiny_preset, f"pretrain.parallel={parallel}"]
    environment = os.environ | {"PYTHONPATH": str(PROJECT), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, cwd=copy, env=environment, text=True, capture_output=True)
    assert done.returncode == 1 and "DEVICE=cpu" in done.stderr
    done = subprocess.run([*command, "--device", "cpu"], cwd=copy, env=environment, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("done in") == 1
    together = manifest(copy, "pretrain")["counts"]
    assert together["processes"] == 2
    assert together["bits_per_byte"] == pytest.approx(alone["bits_per_byte"], abs=0.02)
    samples = sorted((copy / "artifacts/tiny/pretrain/logs").glob("samples-*.md"))
    assert len(samples) == 2 and all(len(path.read_text().splitlines()) == len(PROMPTS) for path in samples)


def test_the_model_loads_outside_the_project_with_the_same_ids_and_logits(built, tiny_preset, tmp_path):
    out = tmp_path / "model"
    run_pipeline("export", "--preset", tiny_preset, "--out", out, folder=built)
    answers = []
    for folder in (out, built / "artifacts/tiny/pretrain"):
        done = subprocess.run([sys.executable, "-c", LOADED_OUTSIDE, folder], cwd="/", text=True, capture_output=True,
                              env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"}, check=True)
        answers.append(json.loads(done.stdout.splitlines()[-1]))
    assert answers[0] == answers[1]
    assert answers[0][2] == []
    assert not list(out.rglob("*.bin")) + list(out.rglob("*.pt")) + list(out.rglob("*.pkl"))


def test_pretraining_continues_from_a_model_and_its_tokenizer(built, tiny_preset, tmp_path):
    out = tmp_path / "model"
    run_pipeline("export", "--preset", tiny_preset, "--out", out, folder=built)
    for stage in ("corpus", "tokenizer", "tokens", "pretrain"):
        run_pipeline(stage, "--preset", tiny_preset, "--init", out, "pretrain.steps=5", folder=tmp_path)
    one, two = (manifest(folder, "pretrain")["counts"] for folder in (built, tmp_path))
    assert two["bits_per_byte"] < one["bits_per_byte"] + 0.5
    assert (tmp_path / "artifacts/tiny/tokenizer/tokenizer.json").exists()


def test_plan_probes_this_machine_or_reckons_with_hardware_that_is_named(built, tiny_preset):
    text = run_pipeline("plan", "--preset", tiny_preset, folder=built).stdout
    assert "probe:" in text and "20 micro-batches" in text and "the corpus at hand, once" in text
    assert all(row in text for row in ("| 11 GB |", "| 40 GB, GPT-2's |", "| 570 GB, GPT-3's |"))
    text = run_pipeline("plan", "--preset", "xl", "--hardware", "H100", "--gpus", "8", folder=built).stdout
    assert "1,582.1M" in text and "8 x H100" in text and "probe" not in text
    done = run_pipeline("plan", "--hardware", "H1000", folder=built, check=False)
    assert done.returncode == 1 and "HARDWARE=H1000" in done.stderr


def test_generate_prints_the_prompt_continued(built, tiny_preset):
    text = run_pipeline("generate", "--preset", tiny_preset, "--prompt", "대한민국은", folder=built).stdout
    assert text.count("대한민국은") >= 3


def test_report_collects_every_stage(built, tiny_preset):
    run_pipeline("report", "--preset", tiny_preset, folder=built)
    text = (built / "artifacts/tiny/report.md").read_text()
    assert all(f"| {stage} |" in text for stage in ("corpus", "tokenizer", "tokens", "pretrain", "klue"))
    assert "bits per byte" in text


def test_clean_removes_unfinished_work_only(copy, tiny_preset):
    partial = copy / "artifacts/pretrain/0123.partial"
    partial.mkdir()
    run_pipeline("clean", "--preset", tiny_preset, folder=copy)
    assert not partial.exists()
    assert manifest(copy, "pretrain")


def test_a_full_disk_gets_one_message_and_leaves_nothing_half_written(tmp_path, tiny_preset):
    done = run_pipeline("corpus", "--preset", tiny_preset, folder=tmp_path, check=False,
                        preexec_fn=limit_file_size)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("artifacts/corpus/*/manifest.json"))


def limit_file_size():
    import resource
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write beyond the limit then fails with EFBIG, like a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


@pytest.mark.extras
def test_tensorboard_gets_every_metric(copy, tiny_preset):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    run_pipeline("pretrain", "--preset", tiny_preset, "pretrain.tracking=tensorboard", "pretrain.seed=2", folder=copy)
    events = EventAccumulator(str(copy / "artifacts/tiny/pretrain/logs/tensorboard"))
    events.Reload()
    assert {"loss", "bits_per_byte", "learning_rate"} <= set(events.Tags()["scalars"])
    assert events.Scalars("loss")[-1].step == 40


@pytest.mark.extras
def test_trackio_gets_every_metric(copy, tiny_preset, monkeypatch):
    import sqlite3
    monkeypatch.setenv("TRACKIO_DIR", str(copy / "trackio"))
    run_pipeline("pretrain", "--preset", tiny_preset, "pretrain.tracking=trackio", "pretrain.seed=3", folder=copy)
    database, = (copy / "trackio").glob("korean-gpt2*.db")
    with sqlite3.connect(database) as connection:
        metrics = {name for row, in connection.execute("select metrics from metrics") for name in json.loads(row)}
    assert {"loss", "bits_per_byte", "learning_rate"} <= metrics


@pytest.mark.parametrize("architecture", ["gpt", "gpt3"])
def test_the_other_architectures_go_through_the_same_stages(copy, tiny_preset, architecture):
    chosen = ("--preset", tiny_preset, f"pretrain.architecture={architecture}", "pretrain.checkpoint_minutes=0.0001")
    done = subprocess.Popen([sys.executable, "-m", "pipeline", "pretrain", *chosen], cwd=copy, stdout=subprocess.PIPE, text=True,
                            env=os.environ | {"PYTHONPATH": str(PROJECT), "HF_HUB_OFFLINE": "1"})
    for line in done.stdout:
        if "step 20:" in line:
            done.kill()
    done.communicate()
    assert "resuming after step" in run_pipeline("pretrain", *chosen, folder=copy).stdout
    assert manifest(copy, "pretrain")["counts"]["bits_per_byte"] < 3
    run_pipeline("export", *chosen, "--out", copy / "out", folder=copy)
    assert "대한민국은" in run_pipeline("generate", "--model", copy / "out", folder=copy).stdout
    run_pipeline("klue-eval", *chosen, "klue.tasks=ynat", folder=copy)
    assert manifest(copy, "klue")["counts"]["ynat"]
