"""Fine-tuned models as plain Hugging Face folders, for any tool that knows transformers: the model
and what its head says (model.py), and a tokenizer that writes a row as the model read it
(tokenizer.py)."""
