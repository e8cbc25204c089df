"""`make generate PROMPT="..."`: continuations of a prompt by the preset's model, or by MODEL=folder."""
from pathlib import Path

from corpora import UserError
from pipeline import artifact


def run(arguments, preset) -> int:
    folder = Path(arguments.model or artifact.linked(arguments.artifacts, preset.name, "pretrain").path)
    if not (folder / "config.json").is_file():
        raise UserError(f"MODEL={folder}: no model there (no config.json).")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from pipeline.training.device import resolve_device
    from pipeline.training.sampling import continue_text
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, use_safetensors=True).to(resolve_device(arguments.device))
    for text in continue_text(model, tokenizer, arguments.prompt, num_tokens=100, seed=1, num_texts=3):
        print(text + "\n")
    return 0
