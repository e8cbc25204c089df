"""`make torture`: faults of every kind in a real pretraining of the demo preset, each followed by
the same command again. What has to come out are the weights of the undisturbed run, bit for bit.
Prints a table; its exit is non-zero where a row differs."""

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
from tests.size import PROJECT

STEPS = 300
SETTINGS = (
    f"pretrain.steps={STEPS}",
    "pretrain.checkpoint_minutes=0.005",
    "pretrain.log_every=1",
)
PYTHON = (sys.executable,)
TORCHRUN = (
    *PYTHON,
    "-m",
    "torch.distributed.run",
    "--standalone",
    "--nproc-per-node",
    "2",
)
SEED = 1
LONGEST_REMARK = 150
ROOM_ON_THE_FULL_DISK = 4_000_000  # bytes, less than a checkpoint


class Run:
    """The artifacts of one torture, and the command that is disturbed."""

    def __init__(self, artifacts: Path) -> None:
        self.artifacts = artifacts
        self.verdicts: list[str] = []
        self.straight = ""  # the undisturbed run's weights, as SHA-256

    def partial(self) -> Path | None:
        """The folder of the work under way, if there is any."""
        return next(iter((self.artifacts / "pretrain").glob("*.partial")), None)

    def existing_partial(self) -> Path:
        """The folder of the work under way, which has to be there."""
        folder = self.partial()
        assert folder, "the run left no partial folder"
        return folder

    def start(self, launcher: tuple[str, ...] = PYTHON, fault: str = "") -> subprocess.Popen[str]:
        module = ("tests.faulty", fault) if fault else ("pipeline",)
        places = ("--device", "cpu", "--artifacts", str(self.artifacts))
        return subprocess.Popen(
            [*launcher, "-m", *module, "pretrain", *SETTINGS, *places],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def finish(self, launcher: tuple[str, ...] = PYTHON) -> tuple[str, str]:
        """Run to the end; what was printed, and the SHA-256 of the weights or "" where it didn't
        end well."""
        process = self.start(launcher)
        printed, _ = process.communicate()
        if process.returncode:
            return printed, ""
        finished = self.artifacts / "demo/pretrain"
        manifest = json.loads((finished / "manifest.json").read_text())
        shutil.rmtree(finished.resolve())
        return printed, manifest["files"]["model.safetensors"]["sha256"]

    def logged_step(self) -> int:
        """The last step that is in the log."""
        log = self.log()
        if log is None:
            return 0
        steps = [0]
        # The file has just gone, or there's half a line at its end.
        with contextlib.suppress(OSError, ValueError):
            for line in log.read_text().splitlines():
                values = json.loads(line)
                if "tokens" in values:
                    steps.append(values["step"])
        return max(steps)

    def log(self) -> Path | None:
        """The log of the work under way, if it's there already."""
        partial = self.partial()
        path = partial / "logs/metrics.jsonl" if partial else None
        return path if path and path.exists() else None

    def log_time(self) -> int:
        """When the log was last written: a resumed run's first act is to drop from it the steps it
        will do again."""
        log = self.log()
        return log.stat().st_mtime_ns if log else 0

    def saved_step(self) -> int:
        """The last step that is in a checkpoint."""
        checkpoints = self.checkpoints()
        return step_of(checkpoints[0]) if checkpoints else 0

    def checkpoints(self) -> list[Path]:
        partial = self.partial()
        return find_checkpoints(partial / "scratch/checkpoints") if partial else []

    def lost_steps(self) -> int:
        """Steps that were done and will be done again."""
        return max(0, self.logged_step() - self.saved_step())

    def add_row(self, fault: str, lost: str, said: str, weights: str, expected: str = "") -> None:
        """Print a row of the table; `expected` are other weights than the undisturbed run's."""
        said = said.replace(str(self.artifacts), "artifacts")[:LONGEST_REMARK]
        if weights == (expected or self.straight):
            verdict = "same"
        else:
            verdict = "DIFFERENT" if weights else "NOT FINISHED"
        self.verdicts.append(verdict)
        print(f"| {fault} | {lost} | {said} | {verdict} |", flush=True)


def kill(process: subprocess.Popen[str]) -> str:
    """Kill a run and all it started; what it had printed."""
    os.killpg(process.pid, signal.SIGKILL)
    printed, _ = process.communicate()
    return printed


def wait_for_step(run: Run, step: int, process: subprocess.Popen[str]) -> None:
    while process.poll() is None and run.logged_step() < step:
        time.sleep(0.02)


def last_line_with(printed: str, word: str) -> str:
    lines = [line for line in printed.splitlines() if word in line]
    assert lines, f"no line says {word!r}:\n{printed}"
    return lines[-1].replace("|", "/")


def kill_at_random(run: Run, num_kills: int) -> None:
    chance = random.Random(SEED)
    lost: list[int] = []
    num_resumes = 0
    finished: list[str] = []
    while len(lost) < num_kills:
        before = run.log_time()
        process = run.start()
        while process.poll() is None and run.log_time() == before:
            time.sleep(0.02)  # imports; a kill in them would prove little
        time.sleep(chance.uniform(0, 1.5))
        if process.poll() is None:
            printed = kill(process)
            num_resumes += "resuming after step" in printed
            lost.append(run.lost_steps())
        else:  # it came to its end first: the next round begins anew
            process.communicate()
            finished.append(run.finish()[1])
    finished.append(run.finish()[1])
    different = [weights for weights in finished if weights != run.straight]
    run.add_row(
        f"kill -9 at {num_kills} random moments",
        f"{sum(lost) / num_kills:.1f} steps on average, {max(lost)} at most",
        f"resumed {num_resumes} times, {len(finished)} runs finished",
        different[0] if different else run.straight,
    )


def stop_by_itself(run: Run, fault: str, description: str, word: str) -> None:
    """A fault that ends the run by itself, with a message that has this word."""
    process = run.start(fault=fault)
    printed, _ = process.communicate()
    assert process.returncode, printed
    lost = run.lost_steps()
    _, weights = run.finish()
    run.add_row(description, f"{lost}", last_line_with(printed, word), weights)


def kill_after(run: Run, step: int) -> None:
    process = run.start()
    wait_for_step(run, step, process)
    kill(process)


def damage(run: Run, description: str, change: Callable[[Path], None]) -> None:
    kill_after(run, 100)
    path = run.checkpoints()[0]
    change(path)
    printed, weights = run.finish()
    resumed_after = int(last_line_with(printed, "resuming after step").split()[-1])
    lost = f"{step_of(path) - resumed_after} steps more"
    run.add_row(description, lost, last_line_with(printed, "damaged"), weights)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def flip_bit(path: Path) -> None:
    with open(path, "r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))


def fill_disk(run: Run) -> None:
    """The partial artifact on a disk of its own that is too small for the next checkpoint."""
    kill_after(run, 100)
    partial = run.existing_partial()
    saved = run.saved_step()
    kept = partial.with_name("kept")
    partial.rename(kept)
    partial.mkdir()
    size = sum(path.stat().st_size for path in kept.rglob("*") if path.is_file())
    options = f"size={size + ROOM_ON_THE_FULL_DISK}"
    mount = ["mount", "-t", "tmpfs", "-o", options, "none", partial]
    if subprocess.run(mount, check=False).returncode:
        partial.rmdir()
        kept.rename(partial)
        _, weights = run.finish()
        said = "not tried: mounting a small disk needs root"
        run.add_row("disk full during a save", "-", said, weights)
        return
    try:
        shutil.copytree(kept, partial, dirs_exist_ok=True)
        process = run.start()
        printed, _ = process.communicate()
        lost = saved - run.saved_step()
        shutil.rmtree(kept)
        shutil.copytree(partial, kept)
    finally:
        subprocess.run(["umount", partial], check=True)
    partial.rmdir()
    kept.rename(partial)
    assert process.returncode, printed
    _, weights = run.finish()
    said = last_line_with(printed, "error:")
    run.add_row("disk full during a save", f"{max(0, lost)} saved steps", said, weights)


def lose_a_rank(run: Run) -> None:
    _, straight = run.finish(TORCHRUN)
    process = run.start(TORCHRUN)
    wait_for_step(run, 100, process)
    ps = ["ps", "-o", "pid=", "--ppid", str(process.pid)]
    children = subprocess.run(ps, text=True, capture_output=True, check=True).stdout.split()
    os.kill(int(children[-1]), signal.SIGKILL)
    process.communicate()
    lost = f"{run.lost_steps()} steps"
    _, weights = run.finish(TORCHRUN)
    fault = "one of two processes killed with -9"
    run.add_row(fault, lost, "torchrun ended the other", weights, straight)


def main() -> None:
    num_kills = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(PROJECT):
        run = Run(Path(folder) / "artifacts")
        for stage in ("corpus", "tokenizer", "tokens"):
            command = [*PYTHON, "-m", "pipeline", stage, "--artifacts", str(run.artifacts)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        _, run.straight = run.finish()
        print(
            f"{STEPS} steps of the demo preset, a checkpoint every 0.3 seconds; undisturbed "
            f"weights {run.straight[:16]}\n\n"
            "| fault | lost | said | final weights |\n|---|---|---|---|",
            flush=True,
        )
        kill_at_random(run, num_kills)
        stop_by_itself(run, "term:150", "SIGTERM during step 150", "SIGTERM")
        stop_by_itself(run, "nan:150", "loss not a number at step 150", "error:")
        damage(run, "last checkpoint cut to half", truncate)
        damage(run, "one bit of the last checkpoint flipped", flip_bit)
        fill_disk(run)
        lose_a_rank(run)
        if set(run.verdicts) != {"same"}:
            sys.exit("a row isn't the same")


if __name__ == "__main__":
    main()
