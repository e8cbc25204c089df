"""`make export FORMAT=hf|gguf|onnx OUT=...`: the trained model as other tools want it, checked
before it gets its name. Each format is a file beside this one."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from corpora.errors import UserError, as_user_error, require
from pipeline import cli_options
from pipeline.artifacts.store import find_linked
from pipeline.cli_options import Format, Quant
from pipeline.launch import read_preset
from pipeline.models.folder import model_folder
from pipeline.tools.export.plain import write_copy


def export(
    overrides: cli_options.Overrides = None,
    preset: cli_options.PresetName = "demo",
    model: cli_options.Model = None,
    format: cli_options.FormatName = Format.hf,
    quant: cli_options.QuantName = Quant.none,
    out: cli_options.Out = None,
    artifacts: cli_options.Artifacts = cli_options.IN_ARTIFACTS,
) -> None:
    """Write the preset's model, or MODEL=, for other tools, and check it there."""
    if out is None:
        raise UserError("export: say where to with OUT=folder. For FORMAT=gguf: OUT=name.gguf.")
    require(not out.exists(), f"OUT={out}: exists already; name a new one.")
    require(
        (format is Format.gguf) == (out.suffix == ".gguf"),
        f"OUT={out}: FORMAT=gguf writes one file, named .gguf; the other formats write a folder.",
    )
    write = writer_of(format, quant)
    source = find_model(preset, overrides, model, artifacts)
    temporary = out.with_name(f"{out.stem}.tmp{out.suffix}")
    remove(temporary)
    checked = write(source, temporary)
    temporary.rename(out)
    print(f"export: {out}: {checked}")


def find_model(
    preset: str, overrides: list[str] | None, model: str | None, artifacts: Path
) -> Path:
    """The folder of MODEL=, or of the preset's model, whose files are checked."""
    if model:
        return model_folder(model)
    name = read_preset(preset, overrides).name
    return find_linked(artifacts, name, "pretrain").verify()


def writer_of(format: Format, quant: Quant) -> Callable[[Path, Path], str]:
    """What writes a model's folder in a format, checks it, and says what it checked.

    Raises UserError for a missing package, and for QUANT= with a format that has none.
    """
    require(
        format is Format.gguf or quant is Quant.none,
        f"QUANT={quant}: only FORMAT=gguf is quantised.",
    )
    if format is Format.hf:
        return write_copy
    advice = "Run make install EXTRAS=export."
    with as_user_error(f"FORMAT={format} needs an extra", advice, ImportError):
        if format is Format.onnx:
            from pipeline.tools.export.onnx_folder import write_onnx

            return write_onnx
        from pipeline.tools.export.gguf_file import write_gguf
    return partial(write_gguf, quant=quant)


def remove(path: Path) -> None:
    """Remove what an export that failed has left."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
