"""Text continued by a model, with a seed of its own, so that sampling never disturbs training."""
import torch

from corpora import require


@torch.no_grad()
def continue_text(model, tokenizer, prompt: str, num_tokens: int, seed: int, num_texts: int = 1,
                  use_cache: bool = True) -> list[str]:
    """`num_texts` sampled continuations of the prompt, each with the prompt and up to `num_tokens` tokens. Raises
    UserError for a prompt that fills the model's positions. The maskless attention of training needs `use_cache=False`:
    it isn't made for one query at a time."""
    # The end token stands before every document in training, so a text begins with it.
    start = [model.config.bos_token_id, *tokenizer(prompt, add_special_tokens=False)["input_ids"]]
    num_tokens = min(num_tokens, model.config.max_position_embeddings - len(start))
    require(num_tokens > 0, f"The prompt has {len(start) - 1} tokens, the model {model.config.max_position_embeddings} "
                            "positions: shorten it.")
    ids_1T = torch.tensor([start], device=model.device)
    was_training = model.training
    model.eval()
    # A model that is being trained may be compiled, which every new length would do again.
    with (torch.random.fork_rng(devices=[model.device] if model.device.type == "cuda" else []),
          torch.compiler.set_stance("force_eager")):
        torch.manual_seed(seed)
        output_NT = model.generate(ids_1T, attention_mask=torch.ones_like(ids_1T), max_new_tokens=num_tokens,
                                   do_sample=True, temperature=0.8, top_k=50, num_return_sequences=num_texts,
                                   use_cache=use_cache, pad_token_id=tokenizer.pad_token_id)
    model.train(was_training)
    return [tokenizer.decode(ids_T[1:], skip_special_tokens=True) for ids_T in output_NT]
