"""`make report`: every stage's figures as one Markdown page, read from the manifests and never computed again."""
from pipeline import artifact
from pipeline.stages import STAGES


def run(arguments, preset) -> int:
    found = {}
    for name in STAGES:
        if (arguments.artifacts / preset.name / name).exists():
            found[name] = artifact.linked(arguments.artifacts, preset.name, name)
    lines = [f"# Preset `{preset.name}`", "", "| stage | seconds | peak memory, MB | worker, MB | disk, MB | key |",
             "|---|---:|---:|---:|---:|---|"]
    for name, stage in found.items():
        manifest = stage.manifest
        size = sum(entry["bytes"] for entry in manifest["files"].values()) / 1e6
        again = " (continued: the last attempt's seconds)" if manifest["continued"] else ""
        lines.append(f"| {name} | {manifest['seconds']:,.0f}{again} | {manifest['peak_memory_mb']:,} | "
                     f"{manifest['peak_worker_memory_mb']:,} | {size:,.1f} | `{stage.path.name}` |")
    if "pretrain" in found:
        counts = found["pretrain"].manifest["counts"]
        lines += ["", f"Pretraining: {counts['tokens']:,} tokens ({counts['epochs']:.2f} epochs) in "
                  f"{counts['seconds']:,.0f} s on {counts['device']} in {counts['precision']}, resumed "
                  f"{counts['resumes']} times; **{counts['bits_per_byte']:.4f} bits per byte** on "
                  f"{counts['validation_bytes']:,} bytes of validation text."]
    for name, file in (("klue", "table.md"), ("corpus", "report.md")):
        if name in found:
            lines += ["", (found[name].path / file).read_text(encoding="utf-8").strip()]
    if found:
        lines += ["", "Versions: " + ", ".join(f"{package} {version}" for package, version
                                               in list(found.values())[-1].manifest["versions"].items())]
    text = "\n".join(lines) + "\n"
    path = arguments.artifacts / preset.name / "report.md"
    artifact.write_text(path, text)
    print(text + f"\nreport: {path}")
    return 0
