"""Evaluation text found in training text: an index of the evaluation sets, and the documents that hold any of it. Texts
are compared by their letters and digits alone, in lower case, so that spacing and punctuation hide nothing."""
from pathlib import Path

import numpy as np

from corpora.cleaning.clean import load_cleanups, normalise
from corpora.duplicates.dedup import Texts, letter_hashes
from corpora.pii import replace_personal_data
from corpora.recipe import Recipe
from corpora.sources.shards import evaluation_folder
from corpora.tasks.rows import load_rows
from corpora.tasks.task import HUB_REVISION, TASKS

DECONTAMINATED = "decontaminated.json"  # beside a corpus, its tokens, a model: fingerprints of what was looked for
TABLE_BITS = 22  # a first look-up by these top bits of a hash spares most others, in 4 MB that stay in cache


class Index:
    """Hashes of the evaluation texts: of every run of n letters in long ones, of the whole of those shorter than n. A
    document is contaminated if it holds `share` of a long text's different runs, or if it, or one of its lines, has
    the letters of a short one (n-gram overlap as in GPT-3, Brown et al. 2020, appendix C; Korean's spacing is free)."""

    def __init__(self, names: list[str], texts: list[str], num_letters: int, share: float):
        self.names, self.num_letters, self.share = names, num_letters, share
        batch = Texts(texts or [""])
        runs, owners = _runs(batch, num_letters)
        pairs = np.unique(np.stack([runs, owners.astype(np.uint64)]), axis=1)  # each run of a text once
        self.runs, self.owners = pairs[0], pairs[1].astype(np.int64)
        self.num_runs = np.bincount(self.owners, minlength=len(texts))
        whole = batch.hashes(batch.bounds_D1[:-1], batch.bounds_D1[1:])[:len(texts)]
        short = np.flatnonzero((self.num_runs == 0) & (whole != 0))  # 0 is the hash of no letters
        self.short, chosen = np.unique(whole[short], return_index=True)
        self.short_owners = short[chosen]
        self.table = np.zeros(1 << TABLE_BITS, dtype=bool)
        self.table[self.runs >> np.uint64(64 - TABLE_BITS)] = True

    def find(self, texts: Texts) -> dict[int, str]:
        """Contaminated documents of a batch, and the name of an evaluation text that each of them holds."""
        found = {}
        if len(self.short):
            documents = np.append(texts.line_documents, np.arange(len(texts.ends_D)))
            hashes = np.append(texts.line_hashes, texts.hashes(texts.bounds_D1[:-1], texts.bounds_D1[1:]))
            places = np.minimum(np.searchsorted(self.short, hashes), len(self.short) - 1)
            for number in np.flatnonzero(self.short[places] == hashes):
                found[int(documents[number])] = self.names[self.short_owners[places[number]]]
        runs, documents = _runs(texts, self.num_letters, self.table)
        known = np.take(self.runs, np.searchsorted(self.runs, runs), mode="clip") == runs
        runs, documents = runs[known], documents[known]
        ends = np.searchsorted(self.runs, runs, side="right")
        counts = ends - np.searchsorted(self.runs, runs)  # of texts that have the run
        places = np.repeat(ends - np.cumsum(counts), counts) + np.arange(counts.sum())
        hits = np.unique(np.stack([np.repeat(documents, counts), places]), axis=1)  # each run of a document once
        pairs, shared = np.unique(np.stack([hits[0], self.owners[hits[1]]]), axis=1, return_counts=True)
        for document, owner in pairs[:, shared >= self.share * self.num_runs[pairs[1]]].T:
            found[int(document)] = self.names[owner]
        return found


def _runs(texts: Texts, length: int, table: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Hashes of all runs of `length` letters within documents, and their documents; of those that `table` may hold."""
    starts = np.arange(max(0, len(texts.places_L) - length + 1))
    hashes = texts.hashes(starts, starts + length)
    if table is not None:
        starts = np.flatnonzero(table[hashes >> np.uint64(64 - TABLE_BITS)])
        hashes = hashes[starts]
    documents = np.searchsorted(texts.bounds_D1, starts, side="right") - 1
    whole = starts + length <= texts.bounds_D1[documents + 1]
    return hashes[whole], documents[whole]


def load_index(recipe: Recipe, data_root: Path | None) -> tuple[Index, dict[str, list[str]]]:
    """The index of a recipe's evaluation sets, and the fingerprints of their texts by `task split`."""
    forms, fingerprints, cut_repeats = [], {}, load_cleanups(recipe)["repeats"]
    for each in recipe.evaluation:
        task, split = TASKS[each.task], f"{each.task} {each.split}"
        rows = load_rows(evaluation_folder(each, data_root), task, each.split, each.revision or HUB_REVISION)
        pairs = [(f"{split} {row['guid']}", row[column]) for row in rows for column in task.texts]
        for name, text in pairs:
            # As it stands, and as it would stand in a cleaned document.
            cleaned = replace_personal_data(normalise(text)[0], recipe.personal_data)[0]
            forms += [(name, form) for form in dict.fromkeys((text, cleaned, cut_repeats(cleaned)))]
        fingerprints[split] = sorted({*fingerprints.get(split, []), *fingerprint([text for _, text in pairs])})
    names, texts = ([form[part] for form in forms] for part in (0, 1))
    return Index(names, texts, recipe.overlap_letters, recipe.overlap_share), fingerprints


def fingerprint(texts: list[str]) -> list[str]:
    """Sorted hashes of evaluation texts, by which a later stage can tell whether it was these that were looked for."""
    return sorted({f"{value:016x}" for value in letter_hashes(Texts(texts), texts).tolist()})
