"""The likelihoods of words after prompts: the model's own, lm-evaluation-harness's, and, of a model
that reads the prompt both ways, those of a prefix language model."""

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from pipeline.evaluation.words import score_words

PROMPTS = [[2, 40, 50, 60], [2, 70], [2, 9, 8, 7, 6, 5, 30]]
WORDS = [[100], [101, 102, 103], [104], [101, 102, 105]]


def prefix_logits(model, prompt: list[int], word: list[int]) -> torch.Tensor:
    """By the definition: one row, and a mask written out."""
    T = len(prompt) + len(word)
    mask_TT = torch.full((T, T), -torch.inf)
    for query in range(T):
        mask_TT[query, : max(query + 1, len(prompt))] = 0
    return model(torch.tensor([prompt + word]), attention_mask=mask_TT[None, None]).logits


@pytest.mark.parametrize("both_ways", [False, True])
def test_a_words_score_is_the_log_likelihood_of_all_its_tokens(gpt2, both_ways):
    config = AutoConfig.from_pretrained(gpt2)
    config.is_causal = not both_ways
    model = AutoModelForCausalLM.from_pretrained(gpt2, config=config).eval()
    expected_NC = np.empty((3, 4))
    for row, prompt in enumerate(PROMPTS):
        for column, word in enumerate(WORDS):
            if both_ways:
                logits_1TV = prefix_logits(model, prompt, word)
            else:
                logits_1TV = model(torch.tensor([prompt + word])).logits
            logs_WV = logits_1TV.detach().log_softmax(-1)[0, len(prompt) - 1 : -1]
            expected_NC[row, column] = logs_WV[torch.arange(len(word)), word].sum()
    found_NC = score_words(model, PROMPTS, WORDS, "cpu")
    np.testing.assert_allclose(found_NC, expected_NC, atol=1e-4)


def test_the_harness_says_the_same(gpt2):
    from lm_eval.models.huggingface import HFLM

    model = AutoModelForCausalLM.from_pretrained(gpt2).eval()
    harness = HFLM(model, tokenizer=AutoTokenizer.from_pretrained(gpt2), batch_size=2)
    requests = [(("", ""), prompt, word) for prompt in PROMPTS for word in WORDS]
    found = harness._loglikelihood_tokens(requests, disable_tqdm=True)
    expected_NC = np.array([score for score, _ in found]).reshape(3, 4)
    np.testing.assert_allclose(score_words(model, PROMPTS, WORDS, "cpu"), expected_NC, atol=1e-4)
