"""Scores -> a table in Markdown, aligned for the screen. What has to be said beside it stands in cards/klue.md."""
from corpora.klue import TASKS, Task

ARMS = {"majority": "majority label", "tfidf": "TF-IDF + linear SVM", "random": "random twin",
        "pretrained": "pretrained"}
"""Rows of the table, in order. The twin has the same config as the pretrained model, and random weights."""


def grid(metrics: dict) -> str:
    """Rows and columns of `metrics`, which the KLUE stage writes to metrics.json, as a Markdown table."""
    results = metrics["tasks"]
    columns = [(TASKS[name], metric) for name in results for metric in TASKS[name].metrics]
    header = [metrics["model"], *(f"{task.title} {task.metrics[metric]}, {results[task.name]['split']}"
                                  for task, metric in columns)]
    rows = [[title, *(cell(results[task.name]["arms"][arm], task, metric) for task, metric in columns)]
            for arm, title in ARMS.items() if all(arm in result["arms"] for result in results.values())]
    widths = [max(map(len, column)) for column in zip(header, *rows)]
    return "\n".join(f"| {' | '.join(text.ljust(width) for text, width in zip(row, widths))} |"
                     for row in (header, ["-" * width for width in widths], *rows))


def cell(arm: dict, task: Task, metric: str) -> str:
    """Mean, standard deviation over seeds where there are several, interval of the primary metric; "-": undefined."""
    mean, sd = arm["mean"][metric], arm["sd"][metric]
    text = ("-" if mean is None else f"{mean:.1f}") + ("" if sd is None else f" ± {sd:.1f}")
    if metric == task.primary and arm["interval"]:
        low, high = arm["interval"]
        text += f" [{low:.1f}, {high:.1f}]"
    return text
