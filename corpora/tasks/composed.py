"""A row's texts in NFC, as all text of a corpus is; a row that was written on macOS may not be. An
entity's place in its sentence goes along."""

import unicodedata
from itertools import accumulate, pairwise

from corpora.tasks.task import ENTITIES, Row, Task


def compose_row(row: Row, task: Task) -> Row:
    """Return a checked row with its texts in NFC, and with its entities where they then stand."""
    if all(unicodedata.is_normalized("NFC", row[column]) for column in task.texts):
        return row
    if task.entities:
        return row | _compose_around_entities(row)
    return row | {column: unicodedata.normalize("NFC", row[column]) for column in task.texts}


def _compose_around_entities(row: Row) -> Row:
    """The sentence and the entities, each part between two of their edges composed by itself."""
    sentence = row["sentence"]
    spans = [(row[column]["start_idx"], row[column]["end_idx"] + 1) for column in ENTITIES]
    edges = sorted({0, len(sentence), *(edge for span in spans for edge in span)})
    parts = [unicodedata.normalize("NFC", sentence[start:end]) for start, end in pairwise(edges)]
    new_edges = dict(zip(edges, accumulate(map(len, parts), initial=0)))
    composed: Row = {"sentence": "".join(parts)}
    for column, (start, end) in zip(ENTITIES, spans):
        new_start = new_edges[start]
        new_end = new_edges[end]
        composed[column] = row[column] | {
            "word": composed["sentence"][new_start:new_end],
            "start_idx": new_start,
            "end_idx": new_end - 1,
        }
    return composed
