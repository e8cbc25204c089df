"""What `make export` is told, and what it says of it."""

import shutil
import sys

import pytest

from corpora.errors import UserError
from pipeline.cli_options import Format, Quant
from pipeline.tools.export import export
from tests.pipeline.tools.export.saved import save


@pytest.mark.parametrize("format, package", [("gguf", "gguf"), ("onnx", "onnxruntime")])
def test_without_the_packages_the_extra_is_named(tmp_path, monkeypatch, format, package):
    for name in ("gguf_file", "onnx_folder"):
        monkeypatch.delitem(sys.modules, f"pipeline.tools.export.{name}", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    out = tmp_path / ("m.gguf" if format == "gguf" else "m")
    with pytest.raises(UserError, match="make install EXTRAS=export"):
        export(model=str(tmp_path), format=Format[format], out=out)


@pytest.mark.parametrize("format, name", [("gguf", "folder"), ("hf", "m.gguf"), ("onnx", "m.gguf")])
def test_a_name_that_doesnt_fit_the_format_is_told(tmp_path, format, name):
    with pytest.raises(UserError, match=r"FORMAT=gguf writes one file, named \.gguf"):
        export(model=str(tmp_path), format=Format[format], out=tmp_path / name)


@pytest.mark.parametrize("format", ["hf", "onnx"])
def test_only_a_gguf_is_quantised(tmp_path, format):
    with pytest.raises(UserError, match="QUANT=q8_0: only FORMAT=gguf"):
        export(model=str(tmp_path), format=Format[format], quant=Quant.q8_0, out=tmp_path / "out")


def test_without_a_place_nothing_is_done():
    with pytest.raises(UserError, match="say where to with OUT="):
        export()


def test_a_folder_of_ones_own_is_exported_too(tmp_path, capsys):
    folder = save(tmp_path)
    (folder / "training_args.bin").touch()
    (folder / "checkpoint-10").mkdir()
    shutil.copytree(folder, folder / "snapshots/000003")
    export(model=str(folder), out=tmp_path / "out")
    assert "same logits" in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "sentencepiece.model",
        "tokenizer.json",
        "tokenizer_config.json",
    }
