"""The commands that run a model, on a GPU, one after the other."""

import json

from tests.conftest import run_pipeline


def test_a_model_is_pretrained_fine_tuned_on_klue_and_continues_a_prompt(
    tmp_path, tiny_preset, device
):
    def run(command: str, *more: str) -> str:
        return run_pipeline(command, "--preset", tiny_preset, *more, folder=tmp_path).stdout

    for stage in ("corpus", "tokenizer", "tokens"):
        run(stage)
    on_device = ("--device", device)
    run("pretrain", *on_device)
    artifacts = tmp_path / "artifacts/tiny"
    manifest = json.loads((artifacts / "pretrain/manifest.json").read_text())
    assert manifest["counts"]["device"] == device
    scores = run("klue-eval", "klue.head=linear language", *on_device)
    assert "YNAT" in scores
    text = run("generate", *on_device, "--prompt", "대한민국은")
    assert "대한민국은" in text
