"""What the pretraining stage reads: a tokenizer and tokens, both tiny."""

import json
from pathlib import Path

from corpora.contamination import DECONTAMINATED
from corpora.recipe import RECIPE_FILE
from tests.pipeline.tiny_model import VOCABULARY, sample_texts
from tests.pipeline.tiny_tokens import write_tokens
from tests.tiny_tokenizer import train
from tokenizer.export import export


def write_inputs(folder: Path, first: int = 10) -> dict[str, Path]:
    """Write both; the tokens are of 50 kinds from `first` on. Returns the folders by stage."""
    export(train(sample_texts(), vocab_size=VOCABULARY), folder / "tokenizer")
    shards = {"train": [2000], "validation": [300]}
    write_tokens(folder / "tokens", shards, vocabulary=VOCABULARY, first=first)
    (folder / "tokens" / DECONTAMINATED).write_text("{}")
    recipe = {"source": [{"name": "law", "licence": "public domain"}]}
    (folder / "tokens" / RECIPE_FILE).write_text(json.dumps(recipe))
    return {name: folder / name for name in ("tokenizer", "tokens")}
