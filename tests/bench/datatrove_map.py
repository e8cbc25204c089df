"""The steps of our first map with datatrove's classes, run by datatrove's own Python
(PEERS=folder/datatrove).

    python datatrove_map.py INPUT.jsonl.zst OUTPUT_FOLDER

FTFY, Gopher repetition and quality filters over whitespace words with FineWeb-2's Korean habit of
no stop words, e-mail and IP addresses, Parquet, and MinHash signatures of 14 x 8 over 5 words.
Prints one JSON object: seconds, peak memory, bytes of signatures.
"""

import json
import sys
import time
from pathlib import Path

from datatrove.data import DocumentsPipeline
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
from datatrove.pipeline.filters import GopherQualityFilter, GopherRepetitionFilter
from datatrove.pipeline.formatters import FTFYFormatter, PIIFormatter
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import ParquetWriter
from datatrove.utils.word_tokenizers import WordTokenizer


class Whitespace(WordTokenizer):
    """The cheapest words there are.

    datatrove's own choice for Korean, Kiwi's morphemes, is many times slower.
    """

    def word_tokenize(self, text: str) -> list[str]:
        return text.split()

    def sent_tokenize(self, text: str) -> list[str]:
        return text.splitlines()

    def span_tokenize(self, text: str) -> list[tuple[int, int]]:
        raise NotImplementedError


def make_steps(source: Path, out: Path) -> list:
    """The steps from a file to Parquet and signatures."""
    words = Whitespace("kor")
    minhash = MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8)
    return [
        JsonlReader(str(source.parent), glob_pattern=source.name, compression="zstd"),
        FTFYFormatter(normalization="NFC"),
        GopherRepetitionFilter(language=words),
        GopherQualityFilter(min_stop_words=None, min_avg_word_length=None, language=words),
        PIIFormatter(),
        ParquetWriter(str(out / "text"), compression="zstd"),
        MinhashDedupSignature(str(out / "signatures"), minhash, language=words),
    ]


def peak_memory_mb() -> float:
    """Of this process: not ru_maxrss, in which Linux counts what the process that started this one
    held."""
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(line for line in lines if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1024


def main() -> None:
    """Run the steps over the file that is named; print what they took."""
    source = Path(sys.argv[1])
    out = Path(sys.argv[2])
    start = time.perf_counter()
    documents: DocumentsPipeline = None
    for step in make_steps(source, out):
        documents = step.run(documents, rank=0, world_size=1)
    # The last step is a function in some versions and a generator in others.
    if documents is not None:
        for _ in documents:
            pass
    files = [path for path in (out / "signatures").rglob("*") if path.is_file()]
    figures = {
        "seconds": time.perf_counter() - start,
        "signature_bytes": sum(path.stat().st_size for path in files),
        "peak_memory_mb": peak_memory_mb(),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
