"""Text <-> ids: a Korean tokenizer is trained, exported for transformers, and judged. Nothing here
knows of models."""
