"""The whole corpus stage on the text and on ten times the text: time, the maps' memory, the reduce's memory a document.

The ten copies are the same documents with the words of each permuted by the copy's own seed, so that copies are no
duplicates of each other while sizes and vocabulary stay; every file is a shard in both runs.
"""
import json
import random
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pyarrow

from corpora.sources.streams import open_stream

COPIES = 10


def permute(text: str, rng: random.Random) -> str:
    """The text's words in another order, as many of them on each line as before."""
    words = text.split()
    rng.shuffle(words)
    words = iter(words)
    return "\n".join(" ".join(islice(words, len(line.split()))) for line in text.split("\n"))


def make_copies(data: Path, out: Path) -> None:
    """out/1 and out/10: the corpus folder's JSON lines once and ten times, permuted, zstd-compressed."""
    for path in sorted((data / "corpus").glob("*.jsonl.zst")):
        for copy in range(COPIES):
            targets = [out / str(COPIES) / "corpus"] + [out / "1" / "corpus"] * (copy == 0)
            name = path.name.replace("-", f"-{copy}", 1)
            if all((target / name).exists() for target in targets):
                continue
            rng = random.Random(f"{copy} {path.name}")
            for target in targets:
                target.mkdir(parents=True, exist_ok=True)
            files = [pyarrow.CompressedOutputStream(str(target / (name + ".tmp")), "zstd") for target in targets]
            with open_stream(path) as lines:
                for line in lines:
                    row = json.loads(line)
                    row["text"] = permute(row["text"], rng)
                    for file in files:
                        file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
            for file, target in zip(files, targets):
                file.close()
                (target / (name + ".tmp")).rename(target / name)


def bench(data: Path, out: Path) -> None:
    make_copies(data, out)
    for link in (out / "1" / "klue", out / str(COPIES) / "klue"):
        if not link.is_symlink():
            link.symlink_to((data / "klue").absolute())
    found = {}
    for size in ("1", str(COPIES)):
        subprocess.run([sys.executable, "-m", "pipeline", "corpus", "--preset", "laptop", "--recipe", "local", "--data",
                        out / size, "--artifacts", out / size / "artifacts"], check=True)
        corpus = out / size / "artifacts" / "laptop" / "corpus"
        found[size] = (json.loads((corpus / "report.json").read_text(encoding="utf-8")),
                       json.loads((corpus / "manifest.json").read_text(encoding="utf-8"))["seconds"])
    (small, small_seconds), (large, large_seconds) = found.values()
    print(f"text: {small['bytes'] / 1e6:,.0f} and {large['bytes'] / 1e6:,.0f} MB, {small['documents']:,} and "
          f"{large['documents']:,} documents")
    print(f"time: {small_seconds:,.0f} and {large_seconds:,.0f} s, a factor of {large_seconds / small_seconds:.2f}")
    for step in ("clean", "write"):
        before, after = (report["steps"][step]["peak_memory_mb"] for report in (small, large))
        print(f"{step}: largest process {before} and {after} MB ({after / before - 1:+.1%})")
    before, after = (report["steps"]["reduce"] for report in (small, large))
    grown = (after["peak_memory_mb"] - before["peak_memory_mb"]) * 1048576 / (after["documents"] - before["documents"])
    print(f"reduce: {before['peak_memory_mb']} and {after['peak_memory_mb']} MB for {before['documents']:,} and "
          f"{after['documents']:,} documents: {grown:.1f} bytes a document; {before['seconds']:.1f} and "
          f"{after['seconds']:.1f} s")
