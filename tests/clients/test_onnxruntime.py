"""onnxruntime on what `make export FORMAT=onnx` writes, with a loop of one's own."""

import numpy as np
import onnxruntime
from transformers import AutoConfig, AutoTokenizer


def test_a_greedy_text_is_that_of_transformers(onnx_folder, greedy):
    config = AutoConfig.from_pretrained(onnx_folder)
    tokenizer = AutoTokenizer.from_pretrained(onnx_folder)
    session = onnxruntime.InferenceSession(
        onnx_folder / "onnx/model.onnx", providers=["CPUExecutionProvider"]
    )
    names = [each.name for each in session.get_inputs()[2:]]
    size = config.n_embd // config.n_head
    for prompt, wanted in greedy.items():
        ids = [tokenizer.bos_token_id, *tokenizer(prompt)["input_ids"]]
        new = ids
        cache = [np.zeros((1, config.n_head, 0, size), np.float32) for _ in names]
        while len(ids) < 48 and (new is ids or new != [tokenizer.eos_token_id]):
            feed = dict(zip(names, cache))
            feed["input_ids"] = np.array([new])
            feed["attention_mask"] = np.ones((1, len(ids)), np.int64)
            logits, *cache = session.run(None, feed)
            new = [int(logits[0, -1].argmax())]
            ids = ids + new
        assert tokenizer.decode(ids, skip_special_tokens=True) == wanted
