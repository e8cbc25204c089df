"""`make torture`: faults of every kind in a real pretraining of the demo preset, each followed by the same command again. What has
to come out are the weights of the undisturbed run, bit for bit. Prints a table; its exit is non-zero where a row differs."""
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.training.checkpoint import find_checkpoints, step_of

STEPS = 300
SETTINGS = (f"pretrain.steps={STEPS}", "pretrain.checkpoint_minutes=0.005", "pretrain.log_every=1")
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
SEED = 1


class Run:
    """The artifacts of one torture, and the command that is disturbed."""

    def __init__(self, artifacts: Path):
        self.artifacts = artifacts
        self.rows = []
        self.straight = None
        self.say = print

    @property
    def partial(self) -> Path | None:
        return next(iter((self.artifacts / "pretrain").glob("*.partial")), None)

    def command(self, *, launcher=(sys.executable,), fault="", **options) -> subprocess.Popen:
        module = ("tests.faulty", fault) if fault else ("pipeline",)
        return subprocess.Popen([*launcher, "-m", *module, "pretrain", *SETTINGS, "--device", "cpu", "--artifacts",
                                 str(self.artifacts)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                start_new_session=True, **options)

    def finish(self, **options) -> tuple[str, str]:
        """Run to the end; returns what was printed and the SHA-256 of the weights, or "" where it didn't end well."""
        process = self.command(**options)
        printed, _ = process.communicate()
        if process.returncode:
            return printed, ""
        manifest = json.loads((self.artifacts / "demo/pretrain/manifest.json").read_text())
        shutil.rmtree((self.artifacts / "demo/pretrain").resolve())
        return printed, manifest["files"]["model.safetensors"]["sha256"]

    def step(self) -> int:
        """The last step that is in the log."""
        try:
            lines = (self.partial / "logs/metrics.jsonl").read_text().splitlines()
            return max((json.loads(line)["step"] for line in lines if "tokens" in line), default=0)
        except (OSError, ValueError, TypeError):
            return 0

    def log_time(self) -> int:
        """When the log was last written: a resumed run's first act is to drop from it the steps it will do again."""
        path = self.partial and self.partial / "logs/metrics.jsonl"
        return path.stat().st_mtime_ns if path and path.exists() else 0

    def saved(self) -> int:
        found = self.partial and find_checkpoints(self.partial / "scratch/checkpoints")
        return step_of(found[0]) if found else 0

    def wait_for(self, step: int, process: subprocess.Popen) -> bool:
        while process.poll() is None and self.step() < step:
            time.sleep(0.02)
        return process.poll() is None

    def row(self, fault: str, lost: str, said: str, weights: str, expected: str) -> None:
        said = said.replace(str(self.artifacts), "artifacts")[:150]
        same = "same" if weights == expected else "DIFFERENT" if weights else "NOT FINISHED"
        self.rows.append(same)
        self.say(f"| {fault} | {lost} | {said} | {same} |", flush=True)


def line_with(printed: str, *words: str) -> str:
    lines = [line for line in printed.splitlines() if any(word in line for word in words)]
    return lines[-1].replace("|", "/") if lines else "-"


def kill_at_random(run: Run, kills: int) -> None:
    chance, lost, rounds, resumes, same = random.Random(SEED), [], 0, 0, True
    while len(lost) < kills:
        before, process = run.log_time(), run.command()
        while process.poll() is None and run.log_time() == before:  # imports; a kill in them would prove little
            time.sleep(0.02)
        time.sleep(chance.uniform(0, 1.5))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            printed, _ = process.communicate()
            resumes += "resuming after step" in printed
            lost.append(run.step() - run.saved())
        else:  # it came to its end first: the next round begins anew
            process.communicate()
            _, weights = run.finish()
            rounds, same = rounds + 1, same and weights == run.straight
    _, weights = run.finish()
    run.row(f"kill -9 at {kills} random moments", f"{sum(lost) / kills:.1f} steps on average, {max(lost)} at most",
            f"resumed {resumes} times, {rounds + 1} runs finished", weights if same else "differs", run.straight)


def stop(run: Run, fault: str, said: str, words: str) -> None:
    """A fault that ends the run by itself."""
    process = run.command(fault=fault)
    printed, _ = process.communicate()
    assert process.returncode, printed
    lost = run.step() - run.saved()
    _, weights = run.finish()
    run.row(said, f"{max(0, lost)}", line_with(printed, words), weights, run.straight)


def damage(run: Run, how: str, change: Callable[[Path], None]) -> None:
    process = run.command()
    run.wait_for(100, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    path = find_checkpoints(run.partial / "scratch/checkpoints")[0]
    change(path)
    printed, weights = run.finish()
    lost = step_of(path) - int(line_with(printed, "resuming after step").split()[-1])
    run.row(how, f"{lost} steps more", line_with(printed, "damaged"), weights, run.straight)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def flip(path: Path) -> None:
    with open(path, "r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))


def fill_disk(run: Run) -> None:
    """The partial artifact on a disk of its own that is too small for the next checkpoint."""
    process = run.command()
    run.wait_for(100, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    partial, saved = run.partial, run.saved()
    kept = partial.with_name("kept")
    partial.rename(kept)
    partial.mkdir()
    size = sum(path.stat().st_size for path in kept.rglob("*") if path.is_file())
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size + 4_000_000}", "none", partial], check=False)
    if mounted.returncode:
        partial.rmdir()
        kept.rename(partial)
        run.row("disk full during a save", "-", "not tried: mounting a small disk needs root", run.finish()[1], run.straight)
        return
    try:
        shutil.copytree(kept, partial, dirs_exist_ok=True)
        process = run.command()
        printed, _ = process.communicate()
        lost = run.saved() - saved
        shutil.rmtree(kept)
        shutil.copytree(partial, kept)
    finally:
        subprocess.run(["umount", partial], check=True)
    partial.rmdir()
    kept.rename(partial)
    assert process.returncode, printed
    _, weights = run.finish()
    run.row("disk full during a save", f"{max(0, -lost)} saved steps", line_with(printed, "error:"), weights, run.straight)


def lose_a_rank(run: Run) -> None:
    _, straight = run.finish(launcher=TORCHRUN)
    process = run.command(launcher=TORCHRUN)
    run.wait_for(100, process)
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process.pid)], text=True, capture_output=True).stdout.split()
    os.kill(int(children[-1]), signal.SIGKILL)
    process.communicate()
    lost = run.step() - run.saved()
    _, weights = run.finish(launcher=TORCHRUN)
    run.row("one of two processes killed with -9", f"{max(0, lost)} steps", "torchrun ended the other", weights, straight)


def main() -> None:
    kills = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(Path(__file__).parent.parent):
        run = Run(Path(folder) / "artifacts")
        for stage in ("corpus", "tokenizer", "tokens"):
            subprocess.run([sys.executable, "-m", "pipeline", stage, "--artifacts", run.artifacts], check=True,
                           stdout=subprocess.DEVNULL)
        _, run.straight = run.finish()
        print(f"{STEPS} steps of the demo preset, a checkpoint every 0.3 seconds; undisturbed weights {run.straight[:16]}\n\n"
              "| fault | lost | said | final weights |\n|---|---|---|---|", flush=True)
        kill_at_random(run, kills)
        stop(run, "term:150", "SIGTERM during step 150", "SIGTERM")
        stop(run, "nan:150", "loss not a number at step 150", "error:")
        damage(run, "last checkpoint cut to half", truncate)
        damage(run, "one bit of the last checkpoint flipped", flip)
        fill_disk(run)
        lose_a_rank(run)
        if set(run.rows) != {"same"}:
            sys.exit("a row isn't the same")


if __name__ == "__main__":
    main()
