"""`make generate PROMPT="..."`: continuations of a prompt by the preset's model, or by MODEL=folder."""
from pathlib import Path

from corpora import UserError
from pipeline import artifact


def run(arguments, preset) -> int:
    if arguments.model:
        folder = Path(arguments.model)
        if not (folder / "config.json").is_file():
            raise UserError(f"MODEL={folder}: no model there (no config.json).")
    else:
        trained = artifact.linked(arguments.artifacts, preset.name, "pretrain")
        trained.verify()
        folder = trained.path
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    from pipeline.training.device import resolve_device
    from pipeline.training.sampling import continue_text
    disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModelForCausalLM.from_pretrained(folder, use_safetensors=True, local_files_only=True)
    except Exception as error:  # transformers', tokenizers' and safetensors' errors have no common base
        raise UserError(f"{folder}: the model can't be loaded ({error}).") from None
    model.to(resolve_device(arguments.device))
    for text in continue_text(model, tokenizer, arguments.prompt, num_tokens=100, seed=1, num_texts=3):
        print(text + "\n")
    return 0
