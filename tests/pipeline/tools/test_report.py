"""`make report`: every stage's figures on one page, and the compact tables of OUT=folder."""

import json
import shutil

from tests.conftest import call_pipeline


def test_the_report_shows_every_stage(built, tiny_preset):
    printed = call_pipeline("report", "--preset", tiny_preset, folder=built)
    page = (built / "artifacts/tiny/report.md").read_text(encoding="utf-8")
    assert page in printed
    for stage in ("corpus", "tokenizer", "tokens", "pretrain", "klue"):
        assert f"| {stage} |" in page
    assert "bits per byte" in page
    assert "sample data, not KLUE" in page


def test_a_preset_that_is_not_trained_yet_has_a_report_of_what_there_is(copy, tiny_preset):
    for stage in ("pretrain", "klue"):
        (copy / "artifacts/tiny" / stage).unlink()
    out = ("--out", copy / "out")
    page = call_pipeline("report", "--preset", tiny_preset, *out, folder=copy)
    assert "| tokenizer |" in page
    assert "| pretrain |" not in page
    results = (copy / "out/results.md").read_text(encoding="utf-8")
    assert "## Tokenizer" in results
    assert "## Pretraining" not in results


def test_with_out_the_tables_of_the_run_stand_there_too(built, tiny_preset, tmp_path):
    out = tmp_path / "out"
    printed = call_pipeline("report", "--preset", tiny_preset, "--out", out, folder=built)
    assert (out / "report.md").read_text(encoding="utf-8") in printed
    page = (out / "results.md").read_text(encoding="utf-8")
    for heading in ("KLUE", "Pretraining", "Tokenizer", "Corpus", "Stages"):
        assert f"\n## {heading}\n" in page
    assert f"make klue-eval PRESET={tiny_preset}\n" in page
    counts = json.loads((built / "artifacts/tiny/pretrain/manifest.json").read_text())["counts"]
    assert f"| bits per byte | **{counts['bits_per_byte']:.4f}** |" in page


def test_a_stage_made_from_another_artifact_than_the_pages_is_told(copy, tiny_preset):
    pretrain = copy / "artifacts/tiny/pretrain"
    other = pretrain.resolve().with_name("another")
    shutil.copytree(pretrain.resolve(), other)
    manifest = json.loads((other / "manifest.json").read_text())
    manifest["inputs"]["tokens"] = "0" * 64
    (other / "manifest.json").write_text(json.dumps(manifest | {"key": "another"}))
    pretrain.unlink()
    pretrain.symlink_to(other)
    call_pipeline("report", "--preset", tiny_preset, "--out", copy / "out", folder=copy)
    for name in ("report.md", "results.md"):
        page = (copy / "out" / name).read_text(encoding="utf-8")
        assert "**Note:** pretrain was made from another tokens than the one on this page." in page


def test_a_berts_loss_is_never_called_bits_per_byte(copy, tiny_preset):
    bert = "pretrain.architecture=bert"
    printed = call_pipeline("pretrain", "--preset", tiny_preset, bert, folder=copy)
    assert "next: make klue-eval" in printed
    assert "make generate" not in printed
    out = ("--out", copy / "out")
    page = call_pipeline("report", "--preset", tiny_preset, bert, *out, folder=copy)
    _, _, pretraining = page.partition("Pretraining: ")
    assert "nats a hidden token" in pretraining.split("\n\n")[0]
    results = (copy / "out/results.md").read_text(encoding="utf-8")
    assert "| nats a hidden token (no GPT's loss) |" in results
    assert "| bits per byte |" not in results
