"""Plain transformers: its pipeline, generate, Trainer."""

import pytest
import torch
from datasets import Dataset
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorForLanguageModeling,
    Trainer,
    TrainingArguments,
    pipeline,
)

TOPICS = ("은행 금리가 올랐다", "축구 결승에서 이겼다", "국회 의원이 연설했다")


@pytest.fixture(scope="module")
def tokenizer(model_folder):
    return AutoTokenizer.from_pretrained(model_folder)


def arguments(folder, steps: int) -> TrainingArguments:
    return TrainingArguments(
        str(folder), max_steps=steps, learning_rate=3e-3, per_device_train_batch_size=12,
        report_to=[], use_cpu=True, disable_tqdm=True, save_strategy="no", logging_steps=5,
    )  # fmt: skip


def test_ids_and_texts_are_sentencepieces(tokenizer, texts, composed, ids):
    assert [tokenizer(text, verbose=False)["input_ids"] for text in texts] == ids
    assert [tokenizer.decode(each) for each in ids] == composed


def test_a_text_generation_pipeline_with_its_defaults(model_folder, read_config):
    generate = pipeline("text-generation", model=str(model_folder))
    for prompt in (
        "대한민국은",
        "국회",
        "제1조",
        "서울의 봄은",
        "이 법은",
        "오늘",
        "우리",
        "모든 국민은",
    ):
        (found,) = generate(prompt, return_tensors=True)
        assert len(found["generated_token_ids"]) <= read_config("config.json")["n_positions"]


def test_a_long_text_is_cut_to_the_positions(tokenizer, read_config):
    found = tokenizer("대한민국은 민주공화국이다. " * 100, truncation=True)["input_ids"]
    assert len(found) == read_config("config.json")["n_positions"]


def test_prompts_at_once_give_the_texts_that_they_give_alone(model_folder, tokenizer, greedy):
    model = AutoModelForCausalLM.from_pretrained(model_folder)
    begun = [[tokenizer.bos_token_id, *tokenizer(prompt)["input_ids"]] for prompt in greedy]
    batch = tokenizer.pad({"input_ids": begun}, padding_side="left", return_tensors="pt")
    written = model.generate(**batch, do_sample=False, max_length=48)
    texts = tokenizer.batch_decode(written, skip_special_tokens=True)
    # What is padded has less room within so many tokens.
    assert all(alone.startswith(text) for text, alone in zip(texts, greedy.values()))


def test_trainer_continues_the_language_model(model_folder, tokenizer, lines, tmp_path):
    data = Dataset.from_dict({"text": lines}).map(
        lambda row: tokenizer(row["text"], truncation=True), remove_columns="text"
    )
    trainer = Trainer(
        model=AutoModelForCausalLM.from_pretrained(model_folder),
        args=arguments(tmp_path, steps=20),
        train_dataset=data,
        processing_class=tokenizer,
        data_collator=DataCollatorForLanguageModeling(tokenizer, mlm=False),
    )
    trainer.train()
    losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    assert losses[-1] < losses[0]
    trainer.save_model(tmp_path / "saved")
    config = AutoModelForCausalLM.from_pretrained(tmp_path / "saved").config
    assert (config.bos_token_id, config.eos_token_id, config.pad_token_id) == (3, 3, 0)


def test_trainer_fine_tunes_a_classifier(model_folder, tokenizer, tmp_path):
    rows = {
        "text": [f"{n}번째 {text}" for n in range(20) for text in TOPICS],
        "label": [0, 1, 2] * 20,
    }
    data = Dataset.from_dict(rows).map(lambda row: tokenizer(row["text"], truncation=True))
    model = AutoModelForSequenceClassification.from_pretrained(model_folder, num_labels=3)
    trainer = Trainer(
        model=model, args=arguments(tmp_path, steps=40), train_dataset=data,
        processing_class=tokenizer,
    )  # fmt: skip
    trainer.train()
    labels = torch.from_numpy(trainer.predict(data).predictions).argmax(1)
    assert (labels == torch.tensor(rows["label"])).float().mean() > 0.9
