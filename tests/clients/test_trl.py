"""TRL's SFTTrainer: the end of an answer is learnt where the tokenizer reads it as the end
token."""

import pytest
from datasets import Dataset
from transformers import AutoTokenizer
from trl import SFTConfig, SFTTrainer

END = 3
PROMPTS = ("질문: 나라 꽃은?\n답:", "질문: 수도는?\n답:")
ANSWERS = (" 무궁화", " 서울")
ROWS = Dataset.from_dict({"prompt": PROMPTS * 16, "completion": ANSWERS * 16})
TEMPLATE = (
    "{% for message in messages %}{{ message.role }}: {{ message.content }}"
    "{% if message.role == 'assistant' %}{{ eos_token }}{% endif %}\n{% endfor %}"
)


def make_trainer(model_folder, folder, rows, tokenizer=None, steps: int = 1) -> SFTTrainer:
    options = SFTConfig(
        str(folder), max_steps=steps, learning_rate=1e-3, per_device_train_batch_size=16,
        report_to=[], use_cpu=True, bf16=False, disable_tqdm=True, save_strategy="no",
        lr_scheduler_type="constant",
    )  # fmt: skip
    return SFTTrainer(
        model=str(model_folder), args=options, train_dataset=rows, processing_class=tokenizer
    )


def labels_of(trainer: SFTTrainer) -> list[list[int]]:
    batch = next(iter(trainer.get_train_dataloader()))
    return [[label for label in row if label != -100] for row in batch["labels"].tolist()]


@pytest.fixture(scope="module")
def tokenizer(model_folder):
    return AutoTokenizer.from_pretrained(model_folder, split_special_tokens=False)


def test_as_the_card_says_the_end_token_is_labelled(model_folder, tokenizer, tmp_path):
    labels = labels_of(make_trainer(model_folder, tmp_path, ROWS, tokenizer))
    assert all(row[-1] == END for row in labels)


def test_without_it_the_end_tokens_letters_are_learnt_instead(model_folder, tmp_path):
    labels = labels_of(make_trainer(model_folder, tmp_path, ROWS))
    assert all(END not in row for row in labels)


def test_a_copy_saved_by_that_tokenizer_serves_tools_that_take_a_folder(
    model_folder, tokenizer, tmp_path
):
    tokenizer.save_pretrained(tmp_path / "copy")
    again = AutoTokenizer.from_pretrained(tmp_path / "copy")
    assert again(f"글{again.eos_token}")["input_ids"][-1] == END


def test_the_fine_tuned_model_ends_its_answers(model_folder, tokenizer, tmp_path):
    trainer = make_trainer(model_folder, tmp_path, ROWS, tokenizer, steps=80)
    trainer.train()
    trainer.model.eval()
    for prompt, answer in zip(PROMPTS, ANSWERS):
        found = trainer.model.generate(
            **tokenizer(prompt, return_tensors="pt"), do_sample=False, max_length=48
        )
        assert tokenizer.decode(found[0]) == f"{prompt}{answer}</s>"


def test_a_chat_templates_end_token_is_labelled(model_folder, tokenizer, tmp_path):
    tokenizer.chat_template = TEMPLATE
    chats = [
        [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
        for prompt, answer in zip(PROMPTS, ANSWERS)
    ]
    rows = Dataset.from_dict({"messages": chats * 16})
    labels = labels_of(make_trainer(model_folder, tmp_path, rows, tokenizer))
    assert all(END in row for row in labels)
