"""The likelihoods that lm-evaluation-harness gives are those of the model itself."""

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from pipeline.evaluation.harness.scoring import score_words


def test_a_words_score_is_the_log_likelihood_of_all_its_tokens(model):
    gpt2 = AutoModelForCausalLM.from_pretrained(model).eval()
    prompts = [[2, 40, 50, 60], [2, 70], [2, 9, 8, 7, 6, 5, 30]]
    words = [[100], [101, 102, 103], [104], [101, 102, 105]]
    expected_NC = np.empty((3, 4))
    for row, prompt in enumerate(prompts):
        for column, word in enumerate(words):
            logits_1TV = gpt2(torch.tensor([prompt + word])).logits.detach()
            logs_WV = logits_1TV.log_softmax(-1)[0, len(prompt) - 1 : -1]
            expected_NC[row, column] = logs_WV[torch.arange(len(word)), word].sum()
    found_NC = score_words(gpt2, AutoTokenizer.from_pretrained(model), prompts, words)
    assert np.allclose(found_NC, expected_NC, atol=1e-4)
