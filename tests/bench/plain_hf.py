"""What people write today: transformers' GPT-2, compiled whole, bf16 where the hardware has it,
AdamW, warm-up and decay to zero. `python -m tests.bench.plain_hf TOKENS OUT key=value ...` prints a
line a step, then saves the model to OUT."""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel, get_linear_schedule_with_warmup

SIZES = ("layers", "width", "heads", "context", "batch", "steps", "warmup", "bf16")


def main() -> None:
    tokens, out, *words = sys.argv[1:]
    given = dict(word.split("=") for word in words)
    layers, width, heads, context, batch, steps, warmup, bf16 = (int(given[name]) for name in SIZES)
    index = json.loads((Path(tokens) / "index.json").read_text())
    shards = [shard["file"] for shard in index["shards"] if shard["split"] == "train"]
    train = np.concatenate([np.load(Path(tokens) / file) for file in shards])
    torch.manual_seed(1)
    config = GPT2Config(
        vocab_size=index["vocab_size"],
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
    model = GPT2LMHeadModel(config)
    compiled = torch.compile(model)
    optimizer = torch.optim.AdamW(
        model.parameters(), float(given["rate"]), betas=(0.9, 0.95), weight_decay=0.1, fused=True
    )
    schedule = get_linear_schedule_with_warmup(optimizer, warmup, steps)
    generator = np.random.default_rng(1)
    for step in range(1, steps + 1):
        starts = generator.integers(len(train) - context, size=batch)
        rows = np.stack([train[start : start + context] for start in starts])
        ids_BT = torch.from_numpy(rows.astype(np.int64))
        with torch.autocast("cpu", torch.bfloat16, enabled=bool(bf16)):
            loss = compiled(input_ids=ids_BT, labels=ids_BT).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        print(f"iter {step}: loss {loss.item():.4f}", flush=True)
    model.save_pretrained(out)


if __name__ == "__main__":
    main()
