"""Text sampled from a model."""

import unicodedata
from typing import Any, cast

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from corpora.errors import require

TEMPERATURE = 0.8
TOP_K = 50


def continue_text(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompt: str,
    num_tokens: int,
    seed: int,
    num_texts: int = 1,
    use_cache: bool = True,
    together: bool = False,
) -> list[str]:
    """`num_texts` sampled continuations, each with the prompt and up to `num_tokens` tokens more.

    The draws have a seed of their own, so that training isn't disturbed. The maskless attention of
    training needs `use_cache=False`: it isn't made for one query at a time. With `together` all
    processes of a training call it alike, and none goes ahead of the others. Raises UserError for a
    prompt that fills the model's positions.
    """
    ids = _encode_prompt(model, tokenizer, prompt)
    context = model.config.max_position_embeddings
    ids_1T = torch.tensor([ids], device=model.device)
    was_training = model.training
    model.eval()
    # transformers types it for a protocol that its own models don't fulfil.
    generate = cast(Any, model).generate
    devices = [model.device] if model.device.type == "cuda" else []
    # A model that is being trained may be compiled, which every new length would do again.
    with torch.random.fork_rng(devices=devices), torch.compiler.set_stance("force_eager"):
        torch.manual_seed(seed)
        output_NT = generate(
            ids_1T,
            attention_mask=torch.ones_like(ids_1T),
            # max_new_tokens beside the model's own max_length would be warned of.
            max_length=min(len(ids) + num_tokens, context),
            do_sample=True,
            temperature=TEMPERATURE,
            top_k=TOP_K,
            num_return_sequences=num_texts,
            use_cache=use_cache,
            synced_gpus=together,
            # Behind a text that has ended. transformers drops a mask of ones, and would then take
            # the pad token for padding without a mask.
            pad_token_id=model.config.eos_token_id,
        )
    model.train(was_training)
    return tokenizer.batch_decode(output_NT[:, 1:], skip_special_tokens=True)


def _encode_prompt(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, prompt: str
) -> list[int]:
    # All text of a corpus is in NFC, which not every model's tokenizer sees to itself.
    prompt = unicodedata.normalize("NFC", prompt)
    ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    context = model.config.max_position_embeddings
    require(
        len(ids) + 1 < context,
        f"The prompt's {len(ids)} tokens fill the model's context of {context}. Shorten the prompt "
        f"to {context - 2} tokens, or name a model with a longer context.",
    )
    # The end token stands before every document in training, so a text begins with it.
    return [model.config.bos_token_id, *ids]
