"""Shards shared by the jobs of an array, such as Slurm's: how they are numbered, and what is said
when a job ends or one is missing.

Each job is the stage's own command with SHARD=i/n, where i counts from 1, as in an array of
`#SBATCH --array=1-16` with SHARD=$SLURM_ARRAY_TASK_ID/16. MERGE=1 then goes on where they ended.
Any scheduler does that can count, and so do several terminals.
"""

from pathlib import Path
from typing import NoReturn

from corpora.errors import UserError


def choose_shards(names: list[str], number: int, num_jobs: int) -> list[str]:
    """The shards of job `number`, from 1: that one, and from there on every `num_jobs`-th.

    Neighbours go to different jobs, as shards of one source tend to take equally long.
    """
    return names[number - 1 :: num_jobs]


def end_job(number: int, num_jobs: int, num_shards: int, description: str) -> NoReturn:
    """End the command of a job whose shards are done, and say what follows."""
    print(
        f"{description}: job {number} of {num_jobs} is done, {num_shards} shards now. When all "
        "jobs are, run the same command with MERGE=1 in place of SHARD=."
    )
    raise SystemExit


def require_all(paths: dict[str, Path], description: str) -> None:
    """Raise UserError unless every shard, {name: its result's file}, is finished."""
    missing = [name for name, path in paths.items() if not path.exists()]
    if missing:
        raise UserError(
            f"{description}: {len(missing)} of {len(paths)} shards are missing, such as "
            f"{missing[0]}. Run the jobs with SHARD=i/n again, all of them, and then the merge."
        )
