"""What a score has to beat: the majority label, and counted character n-grams under a linear SVM. No neural models. The
settings below are fixed. Those of YNAT and RE and the form of NLI's features were chosen on an eighth of train that was
held out; the rest are plain first choices."""
import re
from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.pipeline import FeatureUnion, make_union
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from corpora.tasks.task import Task, entities_in_order, split_at_entities

ABSENT_MARGIN = -1e6
NUMBER = re.compile(r"\d+")
MANY_ROWS = 1000  # from here on, an n-gram has to stand in two rows at least
RE_CONTEXT = 12  # characters kept on each side of an entity: relations are told by what stands beside them


def majority(task: Task, train: list[dict], validation: list[dict]) -> np.ndarray:
    """The commonest label of train (ties: the first), or the mean score, for every row: (N,)."""
    targets = np.array([task.target(row) for row in train])
    value = targets.mean() if task.regression else np.bincount(targets).argmax()
    return np.full(len(validation), value)


def tfidf(task: Task, train: list[dict], validation: list[dict]) -> np.ndarray:
    """The SVM's margins (N, C) over the task's labels, where one that train lacks gets the lowest; for regression what
    boosted trees predict (N,) from similarity features."""
    targets = np.array([task.target(row) for row in train])
    if task.regression:
        features, validation_features = similarities(task, train, validation)
        model = HistGradientBoostingRegressor(learning_rate=0.05, max_iter=300, max_leaf_nodes=15, random_state=0)
        # One thread: its hundreds of short parallel loops crawl when another process wants a core, too.
        with threadpool_limits(1, "openmp"):
            return np.clip(model.fit(features, targets).predict(validation_features), 0, 5)
    margins = np.full((len(validation), len(task.labels)), ABSENT_MARGIN)
    present = np.unique(targets)
    if len(present) == 1:
        margins[:, present[0]] = 0
        return margins
    if task.name == "nli":
        features, validation_features = pair_features(train, validation)
    else:
        vectorizer = (relation_ngrams(len(train)) if task.entities else
                      character_ngrams(1, 5, len(train), lambda row: row["title"], "char_wb"))
        features, validation_features = vectorizer.fit_transform(train), vectorizer.transform(validation)
    model = LinearSVC(C=0.5 if task.entities else 0.25, random_state=0)
    found = model.fit(features, targets).decision_function(validation_features)
    margins[:, present] = np.stack([-found, found], 1) if found.ndim == 1 else found
    return margins


def character_ngrams(shortest: int, longest: int, num_rows: int, text: Callable[[dict | str], str] = str,
                     analyzer: str = "char") -> TfidfVectorizer:
    """Of the text that `text` finds in a row."""
    return TfidfVectorizer(preprocessor=lambda row: text(row).lower(), analyzer=analyzer, sublinear_tf=True,
                           ngram_range=(shortest, longest), min_df=2 if num_rows > MANY_ROWS else 1, dtype=np.float32)


def pair_features(train: list[dict], validation: list[dict]):
    """The hypothesis's n-grams in two blocks, those the premise lacks and those it has, so that the sides differ."""
    vectorizer = character_ngrams(1, 3, len(train))
    vectorizer.fit([row[side] for row in train for side in ("premise", "hypothesis")])

    def blocks(rows: list[dict]) -> sp.csr_matrix:
        premise = vectorizer.transform([row["premise"] for row in rows])
        hypothesis = vectorizer.transform([row["hypothesis"] for row in rows])
        shared = hypothesis.multiply(premise > 0)
        return sp.hstack([hypothesis - shared, shared]).tocsr()

    return blocks(train), blocks(validation)


def relation_ngrams(num_rows: int) -> FeatureUnion:
    """N-grams of the context with typed entity marks, n-grams of each entity, and the pair of types in its order."""
    return make_union(character_ngrams(1, 4, num_rows, marked_context),
                      character_ngrams(1, 3, num_rows, lambda row: row["subject_entity"]["word"]),
                      character_ngrams(1, 3, num_rows, lambda row: row["object_entity"]["word"]),
                      CountVectorizer(analyzer=lambda row: [" ".join(
                          f"{role}{entity['type']}" for entity, role in entities_in_order(row))], dtype=np.float32))


def marked_context(row: dict) -> str:
    """The text around the entities, each of them replaced by its role and type."""
    left, _, middle, _, right = split_at_entities(row)
    first, second = (f"⟦{role}{entity['type']}⟧" for entity, role in entities_in_order(row))
    if len(middle) > 2 * RE_CONTEXT:
        middle = f"{middle[:RE_CONTEXT]}…{middle[-RE_CONTEXT:]}"
    return f"{left[-RE_CONTEXT:]}{first}{middle}{second}{right[:RE_CONTEXT]}"


def similarities(task: Task, train: list[dict], validation: list[dict]) -> tuple[np.ndarray, np.ndarray]:
    """How alike two sentences are, (N, 23): for n-grams of one to four characters and for words the TF-IDF cosine
    and the share of either side that the other has, then lengths, the sentences' ends, and numbers."""
    kinds = [*(TfidfVectorizer(analyzer="char", ngram_range=(n, n)) for n in (1, 2, 3, 4)),
             TfidfVectorizer(token_pattern=r"\S+"), TfidfVectorizer(analyzer="char", ngram_range=(2, 2), use_idf=False)]
    for vectorizer in kinds:
        vectorizer.fit([row[side] for side in task.texts for row in train])

    def features(rows: list[dict]) -> np.ndarray:
        lefts, rights = ([row[side] for row in rows] for side in task.texts)
        columns = []
        for vectorizer in kinds:
            left, right = vectorizer.transform(lefts), vectorizer.transform(rights)
            columns += [row_sums(left.multiply(right)),
                        row_sums(left.multiply(right > 0)) / np.maximum(row_sums(left), 1e-9),
                        row_sums(right.multiply(left > 0)) / np.maximum(row_sums(right), 1e-9)]
        pairs = list(zip(lefts, rights))
        sizes = np.array([[len(left), len(right)] for left, right in pairs])
        columns += [sizes.min(1) / sizes.max(1), sizes.sum(1), np.abs(sizes[:, 0] - sizes[:, 1]),
                    np.array([left.strip(" .?!")[-2:] == right.strip(" .?!")[-2:] for left, right in pairs]),
                    np.array([len({*NUMBER.findall(left)} ^ {*NUMBER.findall(right)}) for left, right in pairs])]
        return np.stack(columns, 1)

    return features(train), features(validation)


def row_sums(matrix: sp.spmatrix) -> np.ndarray:
    return np.asarray(matrix.sum(1)).ravel()
