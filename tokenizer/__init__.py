"""Text <-> ids: a Korean tokenizer trained, exported for transformers, and judged. Knows nothing of models."""
