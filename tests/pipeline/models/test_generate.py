"""Text sampled from a model."""

import logging
import unicodedata

import pytest
import torch

from corpora.errors import UserError
from pipeline.models.generate import continue_text
from tests.pipeline.tiny_tokens import END, PAD
from tests.pipeline.train_tiny import GPTS, make_tiny


class Letters:
    """As much of a tokenizer as sampling needs."""

    pad_token_id = PAD

    def __call__(self, text, **_):
        return {"input_ids": [10 + ord(letter) % 50 for letter in text]}

    def batch_decode(self, ids_BT, **_):
        return [" ".join(map(str, ids_T)) for ids_T in ids_BT.tolist()]


@pytest.mark.parametrize("architecture", GPTS)
def test_each_generates(architecture):
    model = make_tiny(architecture=architecture)
    (text,) = continue_text(model, Letters(), "abc", 8, seed=1, use_cache=False)
    assert 4 <= len(text.split()) <= 11


def test_a_decomposed_prompt_is_continued_as_a_composed_one():
    model = make_tiny()
    prompts = [unicodedata.normalize(form, "한국은") for form in ("NFC", "NFD")]
    texts = [continue_text(model, Letters(), each, 8, seed=1, use_cache=False) for each in prompts]
    assert texts[0] == texts[1]


def test_sampling_has_draws_of_its_own_and_leaves_the_mode():
    model = make_tiny()
    state = torch.random.get_rng_state()
    texts = [continue_text(model, Letters(), "abc", 8, seed=7, use_cache=False) for _ in range(2)]
    assert texts[0] == texts[1]
    assert torch.equal(torch.random.get_rng_state(), state)
    assert model.training


def test_a_text_that_ends_before_the_others_is_no_reason_for_a_warning(caplog):
    """Behind its end stood the pad token, which transformers takes for a missing mask."""
    model = make_tiny(context=64)
    with torch.no_grad():  # every second token or so is the end
        model.base_model.ln_f.bias.copy_(10 * model.get_input_embeddings().weight[END])
    logger = logging.getLogger("transformers")
    logger.addHandler(caplog.handler)
    try:
        texts = continue_text(model, Letters(), "abc", 40, seed=1, num_texts=8, use_cache=False)
    finally:
        logger.removeHandler(caplog.handler)
    assert any(text.endswith(f"{END} {END}") for text in texts)
    assert not caplog.records


@pytest.mark.parametrize("length", [15, 16, 40])
def test_a_prompt_that_fills_the_context_is_told_how_short_it_has_to_be(length):
    model = make_tiny(context=16)
    said = rf"{length} tokens fill the model's context of 16\. Shorten the prompt to 14 tokens"
    with pytest.raises(UserError, match=said):
        continue_text(model, Letters(), "a" * length, 8, seed=1, use_cache=False)
    (text,) = continue_text(model, Letters(), "a" * 14, 8, seed=1, use_cache=False)
    assert len(text.split()) == 15
