"""FORMAT=onnx: a model for ONNX Runtime and transformers.js: onnx/model.onnx beside the folder's
own configs and tokenizer.

Its inputs and outputs are named as Hugging Face's other exporters name them, keys and values of the
tokens before (the cache) among them; with a cache of no tokens it is the model itself."""

import logging
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx  # pyright: ignore[reportMissingImports]  # an extra
import onnxruntime  # pyright: ignore[reportMissingImports]  # an extra
import onnxscript  # pyright: ignore[reportMissingImports]  # an extra
import torch
from transformers import AutoConfig, AutoModelForCausalLM, DynamicCache
from transformers.utils.logging import disable_progress_bar

from corpora.errors import as_user_error, require
from pipeline.models.load import load_weights
from pipeline.models.save import TOKENIZER_FILES

MODEL = "onnx/model.onnx"  # where transformers.js looks for it
COPIED = (*TOKENIZER_FILES, "config.json", "generation_config.json", "README.md")
LARGEST_ONE_FILE = 1_900_000_000  # bytes; protobuf's own limit is 2 GiB
TOLERANCE = 1e-4  # of logits

Cache = list[tuple[torch.Tensor, torch.Tensor]]
"""Keys and values (B, H, P, D) of the P tokens before, by layer."""


class Decoder(torch.nn.Module):
    """A GPT-2 as one graph: ids, mask and cache in, logits and the longer cache out."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, past_key_values: Cache
    ) -> tuple[torch.Tensor, Cache]:
        """Go on for ids (B, T) behind a cache of P tokens, with a mask (B, P + T).

        Positions are counted along the mask, so that padding on the left does no harm.
        """
        cache = DynamicCache()
        for layer, (keys, values) in enumerate(past_key_values):
            cache.update(keys, values, layer)
        num_past = past_key_values[0][0].shape[2]
        positions_BT = (attention_mask.cumsum(1) - 1).clamp(min=0)[:, num_past:]
        queries_T = torch.arange(input_ids.shape[1]) + num_past
        keys_S = torch.arange(attention_mask.shape[1])
        is_before_TS = keys_S[None, :] <= queries_T[:, None]
        is_seen_B1TS = is_before_TS[None, None] & attention_mask[:, None, None, :].bool()
        output = self.model(
            input_ids=input_ids,
            attention_mask=torch.where(is_seen_B1TS, 0.0, torch.finfo(torch.float32).min),
            position_ids=positions_BT,
            past_key_values=cache,
            use_cache=True,
        )
        layers = output.past_key_values.layers
        return output.logits, [(layer.keys, layer.values) for layer in layers]


def write_onnx(source: Path, folder: Path) -> str:
    """Write a model's folder for ONNX; returns what was checked.

    Raises UserError for an architecture without a cache of this shape, and for logits that differ.
    """
    disable_progress_bar()
    with as_user_error(f"{source}: can't be loaded"):
        config: Any = AutoConfig.from_pretrained(source, local_files_only=True)
    require(
        config.model_type == "gpt2",
        f"{source}: a {config.model_type} model: only gpt2 is exported to ONNX, because tools that "
        "generate text from ONNX want a cache, whose shape isn't theirs to guess.",
    )
    model = load_weights(AutoModelForCausalLM, source, str(source), config).eval()
    path = folder / MODEL
    with as_user_error(f"{folder}: can't be written", kinds=(OSError, shutil.Error)):
        path.parent.mkdir(parents=True)
        for name in COPIED:
            if (source / name).exists():
                shutil.copyfile(source / name, folder / name)
        num_bytes = sum(weight.nbytes for weight in model.parameters())
        build(model).save(path, external_data=num_bytes > LARGEST_ONE_FILE)
    onnx.checker.check_model(path)
    difference = check_logits(path, model)
    require(
        difference < TOLERANCE,
        f"{path}: logits differ by {difference:.1e} from transformers', more than {TOLERANCE:.0e}.",
    )
    return (
        f"{MODEL} in ONNX Runtime {onnxruntime.__version__}: logits within {difference:.1e} of "
        "transformers' at every length, with and without a cache, padded on the left"
    )


def build(model: Any) -> Any:
    """The graph, with a batch, a sequence and a cache of any length."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # that torchvision isn't there
    logging.getLogger(onnxscript.__name__).setLevel(logging.ERROR)
    num_layers = model.config.num_hidden_layers
    ids_BT = torch.ones((2, 3), dtype=torch.long)
    mask_BS = torch.ones((2, 7), dtype=torch.long)
    past = [tuple(torch.zeros(2, *cache_shape(model, 4)) for _ in "kv") for _ in range(num_layers)]
    axes = {0: "batch_size", 2: "past_sequence_length"}  # by these names transformers.js fills them
    shapes = {
        "input_ids": {0: "batch_size", 1: "sequence_length"},
        "attention_mask": {0: "batch_size", 1: "total_sequence_length"},
        "past_key_values": [(axes, axes)] * num_layers,
    }
    with warnings.catch_warnings(action="ignore"):  # on names of axes, and torch's own code
        return torch.onnx.export(
            Decoder(model).eval(),
            (ids_BT, mask_BS, past),
            dynamo=True,
            input_names=["input_ids", "attention_mask", *cache_names(model, "past_key_values")],
            output_names=["logits", *cache_names(model, "present")],
            dynamic_shapes=shapes,
            verbose=False,
        )


def cache_names(model: Any, prefix: str) -> list[str]:
    """What the keys and values of all layers are called."""
    layers = range(model.config.num_hidden_layers)
    return [f"{prefix}.{layer}.{kind}" for layer in layers for kind in ("key", "value")]


def cache_shape(model: Any, num_tokens: int) -> tuple[int, int, int]:
    """Heads, tokens, and size of a head (H, P, D)."""
    heads = model.config.num_attention_heads
    return heads, num_tokens, model.config.hidden_size // heads


def check_logits(path: Path, model: Any) -> float:
    """The largest difference of logits to transformers': of batches of several lengths, of the same
    in two steps by the cache, and behind padding on the left."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = cache_names(model, "past_key_values")

    def run(ids_BT: np.ndarray, mask_BS: np.ndarray, cache: list[np.ndarray]) -> Any:
        feed = {"input_ids": ids_BT, "attention_mask": mask_BS, **dict(zip(names, cache))}
        return session.run(None, feed)

    context = model.config.max_position_embeddings
    generator = np.random.default_rng(0)
    largest = 0.0
    for batch, length in ((1, 2), (3, context // 2), (2, context)):
        ids_BT = generator.integers(0, model.config.vocab_size, (batch, length))
        mask_BT = np.ones_like(ids_BT)
        with torch.no_grad():
            wanted_BTV = model(torch.from_numpy(ids_BT)).logits.numpy()
        cut = length // 2
        empty = [np.zeros((batch, *cache_shape(model, 0)), np.float32) for _ in names]
        start_BTV, *cache = run(ids_BT[:, :cut], mask_BT[:, :cut], empty)
        end_BTV, *_ = run(ids_BT[:, cut:], mask_BT, cache)
        pads_BT = np.zeros((batch, 3), dtype=ids_BT.dtype)
        padded_ids_BT, padded_mask_BT = (
            np.concatenate([pads_BT, each_BT], axis=1) for each_BT in (ids_BT, mask_BT)
        )
        padded_BTV, *_ = run(padded_ids_BT, padded_mask_BT, empty)
        for found_BTV, expected_BTV in (
            (run(ids_BT, mask_BT, empty)[0], wanted_BTV),
            (np.concatenate([start_BTV, end_BTV], axis=1), wanted_BTV),
            (padded_BTV[:, 3:], wanted_BTV),
        ):
            largest = max(largest, float(np.abs(found_BTV - expected_BTV).max()))
    return largest
