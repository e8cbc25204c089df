"""`make generate PROMPT="..."`: continuations of a prompt by the preset's model, or by MODEL=folder; and the sampling
itself, which pretraining's samples share."""
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils.logging import disable_progress_bar

from corpora import failing, require
from pipeline import artifact
from pipeline.model_folder import model_folder
from pipeline.training.device import resolve_device


def run(arguments, preset) -> None:
    folder = (model_folder(arguments.model) if arguments.model
              else artifact.linked(arguments.artifacts, preset.name, "pretrain").verify())
    disable_progress_bar()
    with failing(f"{folder}: can't be loaded"):
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModelForCausalLM.from_pretrained(folder, use_safetensors=True, local_files_only=True)
    model.to(resolve_device(arguments.device))
    for text in continue_text(model, tokenizer, arguments.prompt, num_tokens=100, seed=1, num_texts=3):
        print(text + "\n")


def continue_text(model, tokenizer, prompt: str, num_tokens: int, seed: int, num_texts: int = 1,
                  use_cache: bool = True) -> list[str]:
    """`num_texts` sampled continuations of the prompt, each with the prompt and up to `num_tokens` tokens, by a seed of
    their own, so that training isn't disturbed. Raises UserError for a prompt that fills the model's positions. The
    maskless attention of training needs `use_cache=False`: it isn't made for one query at a time."""
    # The end token stands before every document in training, so a text begins with it.
    start = [model.config.bos_token_id, *tokenizer(prompt, add_special_tokens=False)["input_ids"]]
    num_tokens = min(num_tokens, model.config.max_position_embeddings - len(start))
    require(num_tokens > 0, f"The prompt's {len(start) - 1} tokens fill the model's context: shorten it.")
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
