"""`make generate PROMPT="..."`: continuations of a prompt by the preset's model, or by MODEL=folder."""
from corpora import failing
from pipeline import artifact
from pipeline.model_folder import model_folder


def run(arguments, preset) -> None:
    folder = (model_folder(arguments.model) if arguments.model
              else artifact.linked(arguments.artifacts, preset.name, "pretrain").verify())
    # Not above: a wrong MODEL= is told before torch has loaded.
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    from pipeline.training.device import resolve_device
    from pipeline.training.model import continue_text
    disable_progress_bar()
    with failing(f"{folder}: can't be loaded"):
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModelForCausalLM.from_pretrained(folder, use_safetensors=True, local_files_only=True)
    model.to(resolve_device(arguments.device))
    for text in continue_text(model, tokenizer, arguments.prompt, num_tokens=100, seed=1, num_texts=3):
        print(text + "\n")
