"""The baselines: simple, fitted on train alone, and better than nothing where there is something to learn."""
import numpy as np
import pytest

from corpora.tasks.rows import load_rows
from corpora.tasks.task import TASKS
from pipeline.evaluation import baselines
from pipeline.evaluation.metrics import score


def sample(name: str):
    return (TASKS[name], *(load_rows("sample", TASKS[name], split) for split in ("train", "validation")))


def targets(task, rows):
    return np.array([task.target(row) for row in rows])


def test_majority_is_the_commonest_label_of_train_and_the_mean_similarity():
    task, train, validation = sample("nli")
    train = [row | {"label": 2} for row in train[:3]] + [row | {"label": 1} for row in train[3:5]]
    assert baselines.majority(task, train, validation).tolist() == [2] * len(validation)
    task, train, validation = sample("sts")
    assert np.allclose(baselines.majority(task, train, validation), targets(task, train).mean())


@pytest.mark.parametrize("name", ["ynat", "sts", "re"])
def test_tfidf_learns_something_from_the_sample(name):
    task, train, validation = sample(name)
    output = baselines.tfidf(task, train, validation)
    found = score(task, targets(task, validation), output)[task.primary]
    least = score(task, targets(task, validation), baselines.majority(task, train, validation))[task.primary] or 0
    assert found > least + 10
    assert np.array_equal(output, baselines.tfidf(task, train, validation))


def test_tfidf_never_predicts_a_label_that_train_lacks():
    task, train, validation = sample("ynat")
    margins_NC = baselines.tfidf(task, [row for row in train if row["label"] in (2, 5)], validation)
    assert set(margins_NC.argmax(1)) == {2, 5}
    assert margins_NC.shape == (len(validation), 7)
    margins_NC = baselines.tfidf(task, [row for row in train if row["label"] == 3], validation)
    assert set(margins_NC.argmax(1)) == {3}


def test_the_sides_of_a_pair_are_told_apart():
    rows = [{"premise": "가나다", "hypothesis": "라마바"}, {"premise": "라마바", "hypothesis": "가나다"},
            {"premise": "가나다", "hypothesis": "가나다"}]
    features, _ = baselines.pair_features(rows, rows)
    dense = features.toarray()
    assert not np.allclose(dense[0], dense[1])
    assert not np.allclose(dense[1], dense[2])


def test_entities_are_replaced_by_role_and_type_and_particles_stay():
    row = {"sentence": "지난해 한빛전자는 김하늘이 세웠다.",
           "subject_entity": {"word": "한빛전자", "start_idx": 4, "end_idx": 7, "type": "ORG"},
           "object_entity": {"word": "김하늘", "start_idx": 10, "end_idx": 12, "type": "PER"}}
    assert baselines.marked_context(row) == "지난해 ⟦SORG⟧는 ⟦OPER⟧이 세웠다."


@pytest.mark.parametrize("name, least", [("nli", 51.2), ("sts", 46.4)])
def test_on_real_klue_they_are_as_strong_as_the_figures_to_beat(real_data, name, least):
    task = TASKS[name]
    train, validation = (load_rows(str(real_data / "klue"), task, split) for split in ("train", "validation"))
    assert score(task, targets(task, validation), baselines.tfidf(task, train, validation))[task.primary] > least
