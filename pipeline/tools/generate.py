"""`make generate PROMPT="..."`: continuations of a prompt by the preset's model, or by MODEL=folder."""

from corpora.errors import as_user_error
from pipeline.artifacts.store import find_linked
from pipeline.launch import read_preset
from pipeline.models.folder import model_folder
from pipeline.options import (
    IN_ARTIFACTS,
    Artifacts,
    Device,
    DeviceName,
    Model,
    Overrides,
    PresetName,
    Prompt,
)


def generate(
    overrides: Overrides = None,
    preset: PresetName = "demo",
    model: Model = None,
    device: DeviceName = Device.auto,
    prompt: Prompt = "대한민국은",
    artifacts: Artifacts = IN_ARTIFACTS,
) -> None:
    """Continue a prompt with the preset's model, or with another."""
    name = read_preset(preset, overrides).name
    if model:
        folder = model_folder(model)
    else:
        folder = find_linked(artifacts, name, "pretrain").verify()
    # Not above: a wrong MODEL= is told before torch has loaded.
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    from pipeline.models.gpt import continue_text
    from pipeline.training.device import resolve_device

    disable_progress_bar()
    with as_user_error(f"{folder}: can't be loaded"):
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        network = AutoModelForCausalLM.from_pretrained(
            folder, use_safetensors=True, local_files_only=True
        )
    network.to(resolve_device(device))
    for text in continue_text(network, tokenizer, prompt, num_tokens=100, seed=1, num_texts=3):
        print(text + "\n")
