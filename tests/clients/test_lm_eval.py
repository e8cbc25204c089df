"""lm-evaluation-harness by its own command: bits per byte as the model gives them when a text
begins as in training."""

import json
import math
import subprocess
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

TASK = """
task: held_out
dataset_path: json
dataset_kwargs: {{data_files: {{validation: {path}}}}}
validation_split: validation
output_type: loglikelihood_rolling
doc_to_text: ""
doc_to_target: "{{{{text}}}}"
metric_list: [{{metric: bits_per_byte}}]
"""


def bits_per_byte(folder, texts, begin: int) -> float:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    nats = 0.0
    for text in texts:
        ids = torch.tensor([[begin, *tokenizer(text)["input_ids"]]])
        with torch.no_grad():
            scores = model(ids[:, :-1]).logits.log_softmax(-1)
        nats -= scores.gather(-1, ids[:, 1:, None]).sum().item()
    return nats / math.log(2) / sum(len(text.encode()) for text in texts)


def test_its_bits_per_byte_are_those_of_training(model_folder, lines, tmp_path):
    texts = [line for line in lines if len(line) < 80][:40]
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    (tmp_path / "task.yaml").write_text(TASK.format(path=rows))
    command = [
        Path(sys.executable).with_name("lm_eval"), "run", "--model", "hf", "--device", "cpu",
        "--model_args", f"pretrained={model_folder},dtype=float32", "--tasks", "held_out",
        "--include_path", tmp_path, "--output_path", tmp_path / "out",
    ]  # fmt: skip
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "out").rglob("results*.json")
    found = json.loads(path.read_text())["results"]["held_out"]["bits_per_byte,none"]
    assert abs(found - bits_per_byte(model_folder, texts, begin=3)) < 1e-3
    assert found < bits_per_byte(model_folder, texts, begin=2)  # <s>, which training never saw
