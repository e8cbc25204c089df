"""TF-IDF is fitted on train alone, and better than nothing where there is something to learn."""

import numpy as np
import pytest

from corpora.tasks.rows import load_rows
from corpora.tasks.task import TASKS
from pipeline.evaluation.baselines.majority import predict_majority
from pipeline.evaluation.baselines.tfidf import predict_tfidf
from pipeline.evaluation.metrics import score
from tests.pipeline.evaluation.baselines.samples import sample, targets


@pytest.mark.parametrize("name", ["ynat", "sts", "re"])
def test_it_learns_something_from_the_sample(name):
    task, train, validation = sample(name)
    gold_N = targets(task, validation)
    output = predict_tfidf(task, train, validation)
    least = score(task, gold_N, predict_majority(task, train, validation))[task.primary] or 0
    assert score(task, gold_N, output)[task.primary] > least + 10
    assert np.array_equal(output, predict_tfidf(task, train, validation))


def test_it_never_predicts_a_label_that_train_lacks():
    task, train, validation = sample("ynat")
    of_two_labels = [row for row in train if row["label"] in (2, 5)]
    margins_NC = predict_tfidf(task, of_two_labels, validation)
    assert set(margins_NC.argmax(1)) == {2, 5}
    assert margins_NC.shape == (len(validation), 7)
    of_one_label = [row for row in train if row["label"] == 3]
    margins_NC = predict_tfidf(task, of_one_label, validation)
    assert set(margins_NC.argmax(1)) == {3}


@pytest.mark.parametrize(("name", "least"), [("nli", 51.2), ("sts", 46.4)])
def test_on_real_klue_it_is_as_strong_as_the_figures_to_beat(real_data, name, least):
    task = TASKS[name]
    klue = str(real_data / "klue")
    train = load_rows(klue, task, "train")
    validation = load_rows(klue, task, "validation")
    output = predict_tfidf(task, train, validation)
    assert score(task, targets(task, validation), output)[task.primary] > least
