"""What a row that was checked holds."""

from corpora.tasks.task import Task


def columns_of(task: Task) -> tuple[str, ...]:
    """Those of the file, but the label by itself wherever it stood."""
    return (*task.klue_columns[:-1], "label")
