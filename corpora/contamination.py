"""Evaluation text found in training text: an index of the evaluation sets, and the documents that
hold any of it.

Texts are compared by their letters and digits alone, in lower case, so that spacing and punctuation
hide nothing. Axes: R runs of letters, T evaluation texts, N lines, D documents."""

from pathlib import Path
from typing import Final

import numpy as np

from corpora.cleaning.cleanups import load_cleanups
from corpora.cleaning.normalise import normalise
from corpora.duplicates.texts import Texts, letter_hashes
from corpora.pii import replace_personal_data
from corpora.recipe import Recipe
from corpora.sources.shards import evaluation_folder, evaluation_task
from corpora.tasks.rows import load_rows, load_task
from corpora.tasks.task import HUB_REVISION

DECONTAMINATED: Final = "decontaminated.json"
"""Beside a corpus, its tokens, a model: fingerprints of what was looked for."""

TABLE_BITS: Final = 22
"""A first look-up by so many top bits of a hash spares most others, in 4 MB that stay in cache."""
TABLE_SHIFT: Final = np.uint64(64 - TABLE_BITS)


class Index:
    """Hashes of the evaluation texts: of every run of letters in long ones, of the whole of those
    that are shorter than a run.

    A document is contaminated if it holds a share of a long text's different runs, or if it, or one
    of its lines, has the letters of a short one (n-gram overlap as in GPT-3, Brown et al. 2020,
    appendix C; letters, because Korean's spacing is free).
    """

    def __init__(
        self, names: list[str], texts: list[str], run_letters: int, overlap_share: float
    ) -> None:
        """Make the index.

        Args:
            names: what each text is called where it is found.
            texts: the evaluation texts.
            run_letters: letters and digits of a run.
            overlap_share: the share of a text's runs that a document has to hold.
        """
        self.names = names
        self.run_letters = run_letters
        self.overlap_share = overlap_share

        batch = Texts(texts or [""])
        hashes_R, texts_R = _hash_runs(batch, run_letters)
        once_2R = np.unique(np.stack([hashes_R, texts_R.astype(np.uint64)]), axis=1)
        self.hashes_R = once_2R[0]  # each run of a text once, in rising order
        self.texts_R = once_2R[1].astype(np.int64)
        self.num_runs_T = np.bincount(self.texts_R, minlength=len(texts))

        hashes_T = batch.hash_documents()[: len(texts)]
        short = np.flatnonzero((self.num_runs_T == 0) & (hashes_T != 0))  # 0 hashes no letters
        self.short_hashes, firsts = np.unique(hashes_T[short], return_index=True)
        self.short_texts = short[firsts]

        self.table = np.zeros(1 << TABLE_BITS, dtype=bool)
        self.table[self.hashes_R >> TABLE_SHIFT] = True

    def find(self, texts: Texts) -> dict[int, str]:
        """Return the contaminated documents of a batch, and the name of an evaluation text that
        each of them holds."""
        return self._find_short(texts) | self._find_long(texts)

    def _find_short(self, texts: Texts) -> dict[int, str]:
        """Documents that are a short text, or have a line that is one."""
        if not len(self.short_hashes):
            return {}
        documents = np.append(texts.line_documents_N, np.arange(len(texts.ends_D)))
        hashes = np.append(texts.line_hashes_N, texts.hash_documents())
        places = np.searchsorted(self.short_hashes, hashes)
        places = np.minimum(places, len(self.short_hashes) - 1)
        hits = np.flatnonzero(self.short_hashes[places] == hashes)
        return {int(documents[hit]): self.names[self.short_texts[places[hit]]] for hit in hits}

    def _find_long(self, texts: Texts) -> dict[int, str]:
        """Documents that hold enough of a long text's runs."""
        hashes, documents = _hash_runs(texts, self.run_letters, self.table)
        starts = np.searchsorted(self.hashes_R, hashes)
        known = np.take(self.hashes_R, starts, mode="clip") == hashes
        documents = documents[known]

        # In the index a run stands once for each text that has it, side by side.
        starts = starts[known]
        ends = np.searchsorted(self.hashes_R, hashes[known], side="right")
        hits = np.stack([np.repeat(documents, ends - starts), _concatenate_ranges(starts, ends)])
        documents, places = np.unique(hits, axis=1)  # each run of a document once

        pairs, num_shared = np.unique(
            np.stack([documents, self.texts_R[places]]), axis=1, return_counts=True
        )
        enough = num_shared >= self.overlap_share * self.num_runs_T[pairs[1]]
        return {int(document): self.names[text] for document, text in pairs[:, enough].T}


def _hash_runs(
    texts: Texts, length: int, table: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Hashes of all runs of `length` letters within documents, and their documents; only of those
    that `table` may hold, if it is given."""
    starts = np.arange(max(0, len(texts.places_L) - length + 1))
    hashes = texts.hash_spans(starts, starts + length)
    if table is not None:
        starts = np.flatnonzero(table[hashes >> TABLE_SHIFT])
        hashes = hashes[starts]
    documents = np.searchsorted(texts.bounds_D1, starts, side="right") - 1
    within = starts + length <= texts.bounds_D1[documents + 1]
    return hashes[within], documents[within]


def _concatenate_ranges(starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The numbers from each start up to its end, one range after the other."""
    sizes = ends - starts
    places = np.cumsum(sizes) - sizes  # where each range begins in the result
    return np.repeat(starts - places, sizes) + np.arange(sizes.sum())


def load_index(recipe: Recipe, data_root: Path | None) -> tuple[Index, dict[str, list[str]]]:
    """Return the index of a recipe's evaluation sets, and the fingerprints of their texts by
    `task split`.

    Raises UserError where an evaluation set can't be read.
    """
    cut_repeats = load_cleanups(recipe)["repeats"]
    names: list[str] = []
    texts: list[str] = []
    fingerprints: dict[str, list[str]] = {}
    for evaluation in recipe.evaluation:
        task = load_task(evaluation_task(evaluation, data_root))
        split = f"{task.name} {evaluation.split}"
        folder = evaluation_folder(evaluation, data_root)
        revision = evaluation.revision or HUB_REVISION
        rows = load_rows(folder, task, evaluation.split, revision)
        guids_and_texts = [(row["guid"], row[column]) for row in rows for column in task.texts]
        for guid, text in guids_and_texts:
            cleaned, _ = replace_personal_data(normalise(text)[0], recipe.personal_data)
            # As it stands, and as it would stand in a cleaned document.
            forms = list(dict.fromkeys((text, cleaned, cut_repeats(cleaned))))
            names += [f"{split} {guid}"] * len(forms)
            texts += forms
        found = fingerprint([text for _, text in guids_and_texts])
        fingerprints[split] = sorted({*fingerprints.get(split, []), *found})
    return Index(names, texts, recipe.overlap_letters, recipe.overlap_share), fingerprints


def fingerprint(texts: list[str]) -> list[str]:
    """Return sorted hashes of evaluation texts, by which a later stage can tell whether these were
    looked for."""
    return sorted({f"{value:016x}" for value in letter_hashes(Texts(texts), texts).tolist()})
