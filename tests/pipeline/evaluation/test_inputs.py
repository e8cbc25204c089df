"""Inputs keep what a task needs, and no text passes for a special token."""

import json
import shutil

import pytest
from safetensors.torch import load_file, save_file

from corpora.errors import UserError
from corpora.tasks.task import TASKS
from pipeline.evaluation.inputs import Reader
from pipeline.evaluation.linear_head import load_classifier
from pipeline.evaluation.prompts import write_prompt
from tests.pipeline.evaluation.relations import relation
from tests.pipeline.tiny_model import VOCABULARY

YNAT, NLI, STS, RE = TASKS.values()
UNTYPED = RE.model_copy(update={"entity_types": {}})
START, END, SEPARATOR, SUBJECT, SUBJECT_END, OBJECT, OBJECT_END = 2, 3, 4, 5, 6, 7, 8


def between(ids: list[int], first: int, last: int) -> list[int]:
    return ids[ids.index(first) + 1 : ids.index(last)]


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
    assert reader.tokenizer.decode(ids[middle + 1 : -1]) == "</s> 맑다"


@pytest.mark.parametrize(("subject", "object_"), [("한빛전자", "김하늘"), ("김하늘", "한빛전자")])
def test_entities_are_marked_by_role_with_particles_outside(gpt2, subject, object_):
    reader = Reader(gpt2, 96)
    sentence = "지난해 한빛전자는 김하늘이 세웠다."
    (ids,), _ = reader.encode(UNTYPED, [relation(sentence, subject, object_)])
    decode = reader.tokenizer.decode
    assert decode(between(ids, SUBJECT, SUBJECT_END)) == subject
    assert decode(between(ids, OBJECT, OBJECT_END)) == object_
    assert decode([id_ for id_ in ids if id_ > OBJECT_END]) == sentence


def test_entities_follow_the_words_for_their_types(gpt2):
    reader = Reader(gpt2, 96)
    row = relation("지난해 한빛전자는 김하늘이 세웠다.", "한빛전자", "김하늘")
    (ids,), _ = reader.encode(RE, [row])
    assert reader.tokenizer.decode(between(ids, SUBJECT, SUBJECT_END)) == "단체 한빛전자"
    assert reader.tokenizer.decode(between(ids, OBJECT, OBJECT_END)) == "사람 김하늘"
    row["object_entity"]["type"] = "XYZ"
    (ids,), _ = reader.encode(RE, [row])
    assert reader.tokenizer.decode(between(ids, OBJECT, OBJECT_END)) == "김하늘"
    assert write_prompt(RE, 1, row).text.endswith("\n단체 한빛전자 - 김하늘\n관계:")


@pytest.mark.parametrize(
    ("gap", "before", "after"), [(0, 300, 300), (300, 50, 50), (5, 300, 0), (5, 0, 300)]
)
def test_cutting_keeps_both_entities_and_fills_the_room(gpt2, gap, before, after):
    reader = Reader(gpt2, 64)
    sentence = "가" * before + " 한빛전자 " + "나" * gap + " 김하늘 " + "다" * after
    (ids,), num_cut = reader.encode(UNTYPED, [relation(sentence, "한빛전자", "김하늘")])
    assert (len(ids), num_cut) == (64, 1)
    assert reader.tokenizer.decode(between(ids, SUBJECT, SUBJECT_END)) == "한빛전자"
    assert reader.tokenizer.decode(between(ids, OBJECT, OBJECT_END)) == "김하늘"


def test_rows_longer_than_the_models_context_are_cut_and_counted(gpt2):
    reader = Reader(gpt2, 4096)
    ids, num_cut = reader.encode(YNAT, [{"title": "가나다 " * 200}, {"title": "짧다"}])
    assert (len(ids[0]), num_cut) == (96, 1)


def test_sts_alone_is_read_in_both_orders_and_its_cut_rows_count_once(gpt2):
    rows = [
        {"sentence1": "비가 온다", "sentence2": "눈이 또 온다"},
        {"sentence1": "가나다 " * 200, "sentence2": "짧다"},
    ]
    reader = Reader(gpt2, 96)
    ids, num_cut = reader.encode(STS, rows)
    texts = [reader.tokenizer.decode(each[1:-1]).split("<sep>") for each in ids]
    assert [len(ids), num_cut] == [4, 1]
    assert texts[0] == ["비가 온다", "눈이 또 온다"]
    assert texts[2] == ["눈이 또 온다", "비가 온다"]
    assert texts[3][0] == "짧다"
    assert [len(task.orders) for task in (YNAT, NLI, RE)] == [1, 1, 1]


def test_a_model_that_lacks_our_tokens_gets_new_ones_past_its_embedding(bert):
    reader = Reader(bert, 96)
    assert reader.num_embeddings == reader.config.vocab_size + 4
    row = relation("지난해 한빛전자는 김하늘이 세웠다.", "한빛전자", "김하늘")
    (ids,), _ = reader.encode(RE, [row])
    assert (ids[0], ids[-1]) == (reader.tokenizer.cls_token_id, reader.tokenizer.sep_token_id)
    assert [id_ for id_ in ids if id_ >= reader.config.vocab_size] == reader.markers
    model = load_classifier(reader, RE, pretrained=True)
    assert model.get_input_embeddings().num_embeddings == reader.num_embeddings


def test_a_pad_that_is_also_the_end_token_is_replaced(broken_gpt2):
    path = broken_gpt2 / "tokenizer_config.json"
    settings = json.loads(path.read_text())
    path.write_text(json.dumps(settings | {"pad_token": "</s>"}))
    assert Reader(broken_gpt2, 96).pad == VOCABULARY


def test_a_long_text_is_cut_so_that_the_whole_prompt_and_word_fit(gpt2):
    reader = Reader(gpt2, 64)
    rows = [
        {"premise": "가나다 " * 100, "hypothesis": "짧다"},
        {"premise": "비", "hypothesis": "눈"},
    ]
    prompts, num_cut = reader.encode_prompts(NLI, rows)
    words = reader.encode_words(NLI)
    assert num_cut == 1
    assert len(prompts[0]) + max(map(len, words)) <= 64
    assert reader.tokenizer.decode(prompts[0]).endswith("가설: 짧다\n판단:")
    assert prompts[1][0] == reader.start
    expected = [f" {word}" for word in TASKS["nli"].words]
    assert [reader.tokenizer.decode(ids) for ids in words] == expected


def test_a_folder_that_holds_no_fitting_model_is_refused(gpt2, broken_gpt2, tmp_path):
    with pytest.raises(UserError, match=r"config or tokenizer can't be loaded .*config\.json"):
        Reader(tmp_path, 96)
    (tmp_path / "config.json").write_bytes((gpt2 / "config.json").read_bytes())
    with pytest.raises(UserError, match=r"no tokenizer in it, .* tokenizer\.json, vocab\.json"):
        Reader(tmp_path, 96)
    weights = load_file(gpt2 / "model.safetensors")
    del weights["transformer.h.1.mlp.c_fc.weight"]
    save_file(weights, broken_gpt2 / "model.safetensors", metadata={"format": "pt"})
    lost = r"lack 1 tensors of the model, such as transformer\.h\.1\.mlp"
    with pytest.raises(UserError, match=lost):
        load_classifier(Reader(broken_gpt2, 96), YNAT, pretrained=True)
    config = json.loads((broken_gpt2 / "config.json").read_text())
    (broken_gpt2 / "config.json").write_text(json.dumps(config | {"vocab_size": 100}))
    with pytest.raises(UserError, match=f"{VOCABULARY} tokens, its embedding only 100"):
        Reader(broken_gpt2, 96)
    (broken_gpt2 / "config.json").write_text(json.dumps(config | {"n_positions": 8}))
    with pytest.raises(UserError, match="its context of 8 tokens leaves no room"):
        Reader(broken_gpt2, 96)


def test_masked_language_models_are_told_from_causal_ones(gpt2, bert, tmp_path):
    assert Reader(gpt2, 96).is_causal
    assert not Reader(bert, 96).is_causal
    shutil.copytree(bert, tmp_path, dirs_exist_ok=True)
    config = json.loads((bert / "config.json").read_text())
    other_type = config | {"model_type": "distilbert"}  # which has no is_decoder
    (tmp_path / "config.json").write_text(json.dumps(other_type))
    assert not Reader(tmp_path, 96).is_causal
