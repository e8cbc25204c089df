"""What people write today: transformers' GPT-2, compiled whole, bf16 where the hardware has it,
AdamW, warm-up and decay to zero. `python -m tests.bench.plain_hf TOKENS OUT key=value ...` trains
on the CPU, prints a line a step, then saves the model to OUT."""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel, get_linear_schedule_with_warmup

SIZES = ("layers", "width", "heads", "context", "batch", "steps", "warmup", "bf16")


class PlainStep:
    """A GPT-2 and its optimizer, and the step that trains it."""

    def __init__(
        self,
        vocab_size: int,
        layers: int,
        width: int,
        heads: int,
        context: int,
        rate: float,
        is_bf16: bool,
        device: str = "cpu",
    ) -> None:
        torch.manual_seed(1)
        config = GPT2Config(
            vocab_size=vocab_size,
            n_positions=context,
            n_embd=width,
            n_layer=layers,
            n_head=heads,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            bos_token_id=3,
            eos_token_id=3,
        )
        self.model = GPT2LMHeadModel(config).to(device)
        self.compiled = torch.compile(self.model)
        self.autocast = torch.autocast(device, torch.bfloat16, enabled=is_bf16)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), rate, betas=(0.9, 0.95), weight_decay=0.1, fused=True
        )

    def take(self, ids_BT: torch.Tensor) -> torch.Tensor:
        """Train on these ids; the loss."""
        with self.autocast:
            loss = self.compiled(input_ids=ids_BT, labels=ids_BT).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss.detach()


def main() -> None:
    tokens, out, *words = sys.argv[1:]
    given = dict(word.split("=") for word in words)
    layers, width, heads, context, batch, steps, warmup, bf16 = (int(given[name]) for name in SIZES)
    index = json.loads((Path(tokens) / "index.json").read_text())
    shards = [shard["file"] for shard in index["shards"] if shard["split"] == "train"]
    train = np.concatenate([np.load(Path(tokens) / file) for file in shards])
    rate = float(given["rate"])
    step = PlainStep(index["vocab_size"], layers, width, heads, context, rate, bool(bf16))
    schedule = get_linear_schedule_with_warmup(step.optimizer, warmup, steps)
    generator = np.random.default_rng(1)
    for number in range(1, steps + 1):
        starts = generator.integers(len(train) - context, size=batch)
        rows = np.stack([train[start : start + context] for start in starts])
        loss = step.take(torch.from_numpy(rows.astype(np.int64)))
        schedule.step()
        print(f"iter {number}: loss {loss.item():.4f}", flush=True)
    step.model.save_pretrained(out)


if __name__ == "__main__":
    main()
