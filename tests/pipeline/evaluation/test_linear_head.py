"""The linear head learns, repeats itself and stops at nonsense, and other models work, too."""

import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification

from corpora.errors import UserError
from corpora.tasks.task import TASKS
from pipeline.evaluation.inputs import Reader
from pipeline.evaluation.length_batches import pad_right
from pipeline.evaluation.linear_head import (
    Examples,
    LinearHead,
    classify,
    load_classifier,
    share_of_rows,
)
from pipeline.evaluation_settings import KlueSettings
from tests.pipeline.evaluation.relations import relation
from tests.pipeline.tiny_model import topics

YNAT, _, STS, RE = TASKS.values()


def tune(
    folder, task, rows, targets_N, validation, pretrained=True, seed=1, epochs=8, **more
) -> np.ndarray:
    reader = Reader(folder, 96)
    settings = KlueSettings(epochs={task.name: epochs}, batch_size=8, learning_rate=2e-3, **more)
    examples = Examples(
        reader.encode(task, rows).ids, targets_N, reader.encode(task, validation).ids
    )
    torch.manual_seed(seed)
    head = LinearHead(reader, task, pretrained, "cpu")
    head.fine_tune(examples, settings, seed)
    return head.predict(examples.validation)


@pytest.mark.parametrize("kind", ["gpt2", "bert"])
def test_pads_change_nothing(kind, request):
    reader = Reader(request.getfixturevalue(kind), 96)
    titles = ["비", "오늘 저녁부터 전국에 비가 내린다"]
    (short, long), _ = reader.encode(YNAT, [{"title": title} for title in titles])
    torch.manual_seed(0)
    model = load_classifier(reader, YNAT, pretrained=True).eval()
    with torch.no_grad():
        together = classify(model, pad_right([short, long], reader.pad)).logits
        apart = [classify(model, torch.tensor([ids])).logits for ids in (short, long)]
    torch.testing.assert_close(together, torch.cat(apart))


def test_the_head_is_transformers_own(gpt2):
    reader = Reader(gpt2, 96)
    (ids,), _ = reader.encode(YNAT, [{"title": "오늘 저녁부터 전국에 비가 내린다"}])
    model = load_classifier(reader, YNAT, pretrained=True).eval()
    stock = AutoModelForSequenceClassification.from_pretrained(gpt2, num_labels=7).eval()
    stock.load_state_dict(model.state_dict())
    ids_1T = torch.tensor([ids])
    torch.testing.assert_close(model(ids_1T).logits, stock(ids_1T).logits)


def test_it_learns_and_the_same_seed_gives_the_same_answer(gpt2):
    rows, labels_N = topics(36)
    validation, answers_N = topics(12)
    first_NC = tune(gpt2, YNAT, rows, labels_N, validation)
    assert first_NC.shape == (12, 7)
    assert np.allclose(first_NC.sum(1), 1, atol=1e-5)
    assert np.mean(first_NC.argmax(1) == answers_N) > 0.9
    again_NC = tune(gpt2, YNAT, rows, labels_N, validation)
    assert np.array_equal(first_NC, again_NC)
    other_seed_NC = tune(gpt2, YNAT, rows, labels_N, validation, seed=2, epochs=1)
    one_epoch_NC = tune(gpt2, YNAT, rows, labels_N, validation, epochs=1)
    assert not np.array_equal(one_epoch_NC, other_seed_NC)


def test_few_rows_are_seen_often_enough_to_be_learnt(gpt2):
    rows, labels_N = topics(9)
    once_NC = tune(gpt2, YNAT, rows, labels_N, rows, epochs=1)
    often_NC = tune(gpt2, YNAT, rows, labels_N, rows, epochs=1, least_steps=60)
    assert np.mean(once_NC.argmax(1) == labels_N) < 1
    assert np.mean(often_NC.argmax(1) == labels_N) == 1


def test_similarities_come_back_on_their_own_scale_whatever_the_order(gpt2):
    rows = [
        {"sentence1": "비가 온다", "sentence2": text} for text in ("비가 온다", "축구 결승")
    ] * 20
    swapped = [{"sentence1": row["sentence2"], "sentence2": row["sentence1"]} for row in rows[:2]]
    targets_N = np.array([4.6, 1.2] * 40)
    scores_N = tune(gpt2, STS, rows, targets_N, rows[:2] + swapped, epochs=10)
    assert scores_N == pytest.approx([4.6, 1.2] * 2, abs=0.6)
    assert scores_N[:2] == pytest.approx(scores_N[2:], abs=1e-5)


def test_the_twin_has_other_weights_and_the_same_shape(gpt2):
    reader = Reader(gpt2, 96)
    trained = load_classifier(reader, YNAT, pretrained=True).state_dict()
    twin = load_classifier(reader, YNAT, pretrained=False).state_dict()
    shapes = {name: tensor.shape for name, tensor in trained.items()}
    assert shapes == {name: tensor.shape for name, tensor in twin.items()}
    name = "transformer.wte.weight"
    assert torch.equal(trained[name], load_file(gpt2 / "model.safetensors")[name])
    assert not torch.equal(trained[name], twin[name])


@pytest.mark.parametrize("task", [YNAT, RE], ids=["ynat", "re"])
def test_a_bidirectional_model_is_tuned_by_the_same_loop(bert, task):
    rows, labels_N = topics(24)
    if task is RE:
        rows = [relation("지난해 한빛전자는 김하늘이 세웠다.", "한빛전자", "김하늘")] * 24
    output_NC = tune(bert, task, rows, labels_N, rows[:5], epochs=1)
    assert output_NC.shape == (5, len(task.labels))
    assert np.isfinite(output_NC).all()


def test_a_loss_that_is_not_finite_stops_with_task_arm_and_seed(broken_gpt2):
    path = broken_gpt2 / "model.safetensors"
    weights = load_file(path)
    weights["transformer.ln_f.weight"][0] = float("nan")
    save_file(weights, path, metadata={"format": "pt"})
    rows, labels_N = topics(8)
    with pytest.raises(UserError, match=r"YNAT pretrained seed 3: .*finite at step 1 of 8"):
        tune(broken_gpt2, YNAT, rows, labels_N, rows, seed=3)


def test_the_auxiliary_loss_keeps_the_language_model_at_work(gpt2):
    rows, labels_N = topics(36)
    plain_NC = tune(gpt2, YNAT, rows, labels_N, rows[:3], epochs=1)
    weightless_NC = tune(gpt2, YNAT, rows, labels_N, rows[:3], epochs=1, lm_weight=0.0)
    assert np.array_equal(plain_NC, weightless_NC)
    auxiliary_NC = tune(gpt2, YNAT, rows, labels_N, rows[:3], lm_weight=0.5)
    assert auxiliary_NC.argmax(1).tolist() == labels_N[:3].tolist()
    one_epoch_NC = tune(gpt2, YNAT, rows, labels_N, rows[:3], epochs=1, lm_weight=0.5)
    assert not np.array_equal(plain_NC, one_epoch_NC)


def test_layers_that_arent_transferred_begin_at_random(gpt2, tmp_path):
    folder = shutil.copytree(gpt2, tmp_path / "gpt2")
    kept = load_file(folder / "model.safetensors")
    kept["transformer.ln_f.weight"].fill_(2)  # a norm that has learnt
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    torch.manual_seed(1)
    model = LinearHead(Reader(folder, 96), YNAT, True, "cpu", num_layers=1).model.state_dict()
    for name in ("wte.weight", "wpe.weight", "h.0.attn.c_attn.weight", "h.0.ln_1.weight"):
        assert torch.equal(model[f"transformer.{name}"], kept[f"transformer.{name}"])
    for name in ("h.1.attn.c_attn.weight", "h.1.mlp.c_fc.weight"):
        found = model[f"transformer.{name}"]
        assert not torch.equal(found, kept[f"transformer.{name}"])
        assert found.std().item() == pytest.approx(0.02, rel=0.1)
    assert torch.equal(model["transformer.ln_f.weight"], torch.ones(64))


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_the_auxiliary_loss_can_be_that_of_a_share_of_the_rows(gpt2, share):
    rows, labels_N = topics(36)
    whole_NC = tune(gpt2, YNAT, rows, labels_N, rows[:3], epochs=1, lm_weight=0.5)
    found_NC = tune(gpt2, YNAT, rows, labels_N, rows[:3], epochs=1, lm_weight=0.5, lm_share=share)
    assert np.array_equal(whole_NC, found_NC) is (share == 1)


def test_a_share_of_a_batchs_rows_is_as_large_as_it_says():
    for share, num_some in ((0.01, 1), (0.25, 8), (0.4, 13), (0.7, 23), (1.0, 32)):
        some = share_of_rows(share, 32).tolist()
        assert len(set(some)) == num_some
        assert max(some) < 32
