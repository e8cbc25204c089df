"""A tokenizer trained in a second, from texts in memory."""
import tempfile
from pathlib import Path

from tokenizer.train import train_model, write_lines


def train(documents: list[str], model_type: str = "bpe", vocab_size: int = 1024, morphemes: str = "none", workers: int = 1,
          **options) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "lines, one a line.txt"  # SentencePiece takes commas for ends of file names
        write_lines(documents, lines, morphemes, workers)
        return train_model(lines, model_type, vocab_size, 0.9995, **options)
