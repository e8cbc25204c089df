"""`make generate PROMPT="..."`: continuations of a prompt by the preset's model, or by
MODEL=folder."""

from pipeline import cli_options
from pipeline.artifacts.store import find_linked
from pipeline.launch import read_preset
from pipeline.models.folder import model_folder

NUM_TEXTS = 3
NUM_TOKENS = 100  # of each text, at most
SEED = 1


def generate(
    overrides: cli_options.Overrides = None,
    preset: cli_options.PresetName = "demo",
    model: cli_options.Model = None,
    device: cli_options.DeviceName = cli_options.Device.auto,
    prompt: cli_options.Prompt = "대한민국은",
    artifacts: cli_options.Artifacts = cli_options.IN_ARTIFACTS,
) -> None:
    """Continue a prompt with the preset's model, or with another."""
    name = read_preset(preset, overrides).name
    folder = model_folder(model) if model else find_linked(artifacts, name, "pretrain").verify()
    # Not above: a wrong MODEL= is told before torch has loaded.
    from transformers.utils.logging import disable_progress_bar

    from pipeline.models.generate import continue_text
    from pipeline.models.load import load_text_model
    from pipeline.training.device import resolve_device

    disable_progress_bar()
    network, tokenizer = load_text_model(folder, resolve_device(device))
    texts = continue_text(network, tokenizer, prompt, NUM_TOKENS, SEED, NUM_TEXTS)
    for text in texts:
        print(text + "\n")
