"""Inputs keep what a task needs, the loop learns, repeats itself and stops at nonsense, and other models work too."""
import json

import numpy as np
import pytest
import torch
from pipeline.evaluation.finetune import bucket, classify, fine_tune, load_classifier, pad
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification

from corpora.errors import UserError
from corpora.tasks.task import TASKS
from pipeline.evaluation.inputs import Reader, cut_around_entities, cut_longer
from pipeline.models.attention import causal_matmul, causal_sdpa
from pipeline.settings import SECTIONS
from tests.pipeline.tiny_model import VOCABULARY, topics, write_bert, write_gpt2

YNAT, NLI, STS, RE = TASKS.values()
START, END, SEPARATOR, SUBJECT, SUBJECT_END, OBJECT, OBJECT_END = 2, 3, 4, 5, 6, 7, 8


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory):
    return write_gpt2(tmp_path_factory.mktemp("gpt2"))


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return write_bert(tmp_path_factory.mktemp("models") / "bert")


def relation(sentence: str, subject: str, object_: str) -> dict:
    def entity(word: str) -> dict:
        start = sentence.index(word)
        return {"word": word, "start_idx": start, "end_idx": start + len(word) - 1, "type": "ORG"}
    return {"sentence": sentence, "subject_entity": entity(subject), "object_entity": entity(object_)}


def tune(folder, task, rows, targets_N, validation, pretrained=True, seed=1, epochs=8, **more):
    reader = Reader(folder, 96)
    settings = SECTIONS["klue"](**{f"epochs_{task.name}": epochs}, batch_size=8, learning_rate=2e-3, **more)
    return fine_tune(reader, folder, task, reader.encode(task, rows)[0], targets_N, reader.encode(task, validation)[0],
                     settings, seed, pretrained, "cpu")


def test_a_title_stands_between_start_and_end(gpt2):
    reader = Reader(gpt2, 96)
    (ids,), num_cut = reader.encode(YNAT, [{"title": "금리 또 올랐다"}])
    assert (ids[0], ids[-1], num_cut) == (START, END, 0)
    assert reader.tokenizer.decode(ids[1:-1]) == "금리 또 올랐다"


def test_a_separator_stands_between_two_sentences_and_text_that_looks_like_one_stays_text(gpt2):
    reader = Reader(gpt2, 96)
    (ids,), _ = reader.encode(NLI, [{"premise": "비가 <sep> 온다", "hypothesis": "</s> 맑다"}])
    assert (ids.count(SEPARATOR), ids.count(END)) == (1, 1)
    middle = ids.index(SEPARATOR)
    assert reader.tokenizer.decode(ids[1:middle]) == "비가 <sep> 온다"
    assert reader.tokenizer.decode(ids[middle + 1:-1]) == "</s> 맑다"


@pytest.mark.parametrize("subject, object_", [("한빛전자", "김하늘"), ("김하늘", "한빛전자")])
def test_entities_are_marked_by_role_with_particles_outside(gpt2, subject, object_):
    reader = Reader(gpt2, 96)
    (ids,), _ = reader.encode(RE, [relation("지난해 한빛전자는 김하늘이 세웠다.", subject, object_)])
    decode = reader.tokenizer.decode
    assert decode(ids[ids.index(SUBJECT) + 1:ids.index(SUBJECT_END)]) == subject
    assert decode(ids[ids.index(OBJECT) + 1:ids.index(OBJECT_END)]) == object_
    assert decode([id_ for id_ in ids if id_ > OBJECT_END]) == "지난해 한빛전자는 김하늘이 세웠다."


@pytest.mark.parametrize("gap, before, after", [(0, 300, 300), (300, 50, 50), (5, 300, 0), (5, 0, 300)])
def test_cutting_keeps_both_entities_and_fills_the_room(gpt2, gap, before, after):
    reader = Reader(gpt2, 64)
    row = relation("가" * before + " 한빛전자 " + "나" * gap + " 김하늘 " + "다" * after, "한빛전자", "김하늘")
    (ids,), num_cut = reader.encode(RE, [row])
    assert (len(ids), num_cut) == (64, 1)
    assert reader.tokenizer.decode(ids[ids.index(SUBJECT) + 1:ids.index(SUBJECT_END)]) == "한빛전자"
    assert reader.tokenizer.decode(ids[ids.index(OBJECT) + 1:ids.index(OBJECT_END)]) == "김하늘"


def test_an_entity_too_long_for_the_room_is_cut_and_still_marked():
    parts = cut_around_entities([[1] * 9, [2] * 50, [3] * 9, [4] * 50, [5] * 9], 30)
    assert [len(part) for part in parts] == [0, 10, 9, 10, 1]


@pytest.mark.parametrize("sizes, kept", [((5, 5), (5, 5)), ((30, 5), (15, 5)), ((5, 30), (5, 15)), ((30, 30), (10, 10)),
                                         ((10, 11), (10, 10))])
def test_the_longer_sentence_is_cut_first(sizes, kept):
    assert tuple(map(len, cut_longer([[1] * sizes[0], [2] * sizes[1]], 20))) == kept


def test_rows_longer_than_the_models_context_are_cut_and_counted(gpt2):
    reader = Reader(gpt2, 4096)
    ids, num_cut = reader.encode(YNAT, [{"title": "가나다 " * 200}, {"title": "짧다"}])
    assert (len(ids[0]), num_cut) == (96, 1)


def test_a_model_that_lacks_our_tokens_gets_new_ones_past_its_embedding(bert):
    reader = Reader(bert, 96)
    assert reader.num_embeddings == reader.config.vocab_size + 4
    (ids,), _ = reader.encode(RE, [relation("지난해 한빛전자는 김하늘이 세웠다.", "한빛전자", "김하늘")])
    assert (ids[0], ids[-1]) == (reader.tokenizer.cls_token_id, reader.tokenizer.sep_token_id)
    assert sorted(id_ for id_ in ids if id_ >= reader.config.vocab_size) == list(reader.markers)
    model = load_classifier(reader, bert, RE, pretrained=True)
    assert model.get_input_embeddings().num_embeddings == reader.num_embeddings


def test_a_pad_that_is_also_the_end_token_is_replaced(gpt2, tmp_path):
    folder = tmp_path / "shared-pad"
    folder.mkdir()
    for path in gpt2.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"pad_token": "</s>"}))
    assert Reader(folder, 96).pad == VOCABULARY


@pytest.mark.parametrize("kind", ["gpt2", "bert"])
def test_pads_change_nothing(kind, request):
    folder = request.getfixturevalue(kind)
    reader = Reader(folder, 96)
    (short, long), _ = reader.encode(YNAT, [{"title": "비"}, {"title": "오늘 저녁부터 전국에 비가 내린다"}])
    torch.manual_seed(0)
    model = load_classifier(reader, folder, YNAT, pretrained=True)
    with torch.no_grad():
        together = classify(model.eval(), pad([short, long], reader.pad)).logits
        apart = torch.cat([classify(model, torch.tensor([ids])).logits for ids in (short, long)])
    torch.testing.assert_close(together, apart)


def test_the_head_is_transformers_own(gpt2):
    reader = Reader(gpt2, 96)
    (ids,), _ = reader.encode(YNAT, [{"title": "오늘 저녁부터 전국에 비가 내린다"}])
    model = load_classifier(reader, gpt2, YNAT, pretrained=True).eval()
    stock = AutoModelForSequenceClassification.from_pretrained(gpt2, num_labels=7).eval()
    stock.load_state_dict(model.state_dict())
    torch.testing.assert_close(model(torch.tensor([ids])).logits, stock(torch.tensor([ids])).logits)


def test_attention_in_matrix_products_is_causal_attention():
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 2, 4, 13, 16, requires_grad=True).unbind()
    module = torch.nn.Identity()
    ours, _ = causal_matmul(module, query, key, value, None, scaling=0.25)
    reference, _ = causal_sdpa(module, query, key, value, None, scaling=0.25)
    torch.testing.assert_close(ours, reference)


def test_it_learns_and_the_same_seed_gives_the_same_answer(gpt2):
    rows, labels_N = topics(36)
    validation, answers_N = topics(12)
    first_NC = tune(gpt2, YNAT, rows, labels_N, validation)
    assert first_NC.shape == (12, 7)
    assert np.allclose(first_NC.sum(1), 1, atol=1e-5)
    assert np.mean(first_NC.argmax(1) == answers_N) > 0.9
    assert np.array_equal(first_NC, tune(gpt2, YNAT, rows, labels_N, validation))
    assert not np.array_equal(first_NC, tune(gpt2, YNAT, rows, labels_N, validation, seed=2))


def test_similarities_come_back_on_their_own_scale_whatever_the_order(gpt2):
    rows = [{"sentence1": "비가 온다", "sentence2": text} for text in ("비가 온다", "축구 결승")] * 20
    swapped = [{"sentence1": row["sentence2"], "sentence2": row["sentence1"]} for row in rows]
    scores_N = tune(gpt2, STS, rows, np.array([4.6, 1.2] * 40), rows[:2] + swapped[:2], epochs=10)
    assert scores_N == pytest.approx([4.6, 1.2] * 2, abs=0.6)
    assert scores_N[:2] == pytest.approx(scores_N[2:], abs=1e-5)


def test_sts_alone_is_read_in_both_orders(gpt2):
    rows = [{"sentence1": "비가 온다", "sentence2": "눈이 또 온다"}, {"sentence1": "가나다 " * 200, "sentence2": "짧다"}]
    reader = Reader(gpt2, 96)
    ids, num_cut = reader.encode(STS, rows)
    texts = [reader.tokenizer.decode(each[1:-1]).split("<sep>") for each in ids]
    assert [len(ids), num_cut] == [4, 1]
    assert texts[0] == texts[2][::-1] == ["비가 온다", "눈이 또 온다"]
    assert texts[3][0] == "짧다"
    assert [len(task.orders) for task in (YNAT, NLI, RE)] == [1, 1, 1]


def test_the_twin_has_other_weights_and_the_same_shape(gpt2):
    reader = Reader(gpt2, 96)
    trained, twin = (load_classifier(reader, gpt2, YNAT, pretrained).state_dict() for pretrained in (True, False))
    assert {name: tensor.shape for name, tensor in trained.items()} == {name: t.shape for name, t in twin.items()}
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


def test_a_loss_that_is_not_finite_stops_with_task_arm_and_seed(gpt2, tmp_path):
    folder = tmp_path / "broken"
    folder.mkdir()
    for path in gpt2.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    weights = load_file(gpt2 / "model.safetensors")
    weights["transformer.ln_f.weight"][0] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    rows, labels_N = topics(8)
    with pytest.raises(UserError, match=r"YNAT pretrained seed 3: .*finite at step 1 of 8"):
        tune(folder, YNAT, rows, labels_N, rows, seed=3)


def test_a_folder_that_holds_no_fitting_model_is_refused(gpt2, tmp_path):
    with pytest.raises(UserError, match=r"there's no config\.json"):
        Reader(tmp_path, 96)
    with pytest.raises(UserError, match=r"max_length=8"):
        Reader(gpt2, 8)
    for path in gpt2.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = load_file(gpt2 / "model.safetensors")
    del weights["transformer.h.1.mlp.c_fc.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"lack 1 tensors of the model, such as transformer\.h\.1\.mlp"):
        load_classifier(Reader(tmp_path, 96), tmp_path, YNAT, pretrained=True)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"vocab_size": 100}))
    with pytest.raises(UserError, match=f"{VOCABULARY} tokens, its embedding only 100"):
        Reader(tmp_path, 96)


def test_every_row_comes_once_an_epoch_beside_rows_of_like_length():
    lengths = np.random.default_rng(0).integers(1, 60, 1000)
    batches = bucket(lengths, 16, torch.Generator().manual_seed(1))
    assert sorted(np.concatenate(batches)) == list(range(1000))
    padded = sum(lengths[rows].max() * len(rows) for rows in batches)
    assert padded < 1.1 * lengths.sum()
    again = bucket(lengths, 16, torch.Generator().manual_seed(1))
    assert all(np.array_equal(one, two) for one, two in zip(batches, again))


def test_few_rows_get_as_many_steps_as_they_are_promised(gpt2):
    rows, labels_N = topics(9)
    once = tune(gpt2, YNAT, rows, labels_N, rows, epochs=1)
    often = tune(gpt2, YNAT, rows, labels_N, rows, epochs=1, least_steps=60)
    assert np.mean(once.argmax(1) == labels_N) < np.mean(often.argmax(1) == labels_N) == 1


def test_the_auxiliary_loss_keeps_the_language_model_at_work(gpt2):
    rows, labels_N = topics(36)
    plain, auxiliary = (tune(gpt2, YNAT, rows, labels_N, rows[:3], lm_weight=weight) for weight in (0, 0.5))
    assert np.mean(auxiliary.argmax(1) == labels_N[:3]) == 1
    assert not np.array_equal(plain, auxiliary)


def test_masked_language_models_are_told_from_causal_ones(gpt2, bert):
    assert Reader(gpt2, 96).causal and not Reader(bert, 96).causal
    config = json.loads((bert / "config.json").read_text())
    (bert / "config.json").write_text(json.dumps(config | {"model_type": "distilbert"}))  # has no is_decoder
    assert not Reader(bert, 96).causal
    (bert / "config.json").write_text(json.dumps(config))
