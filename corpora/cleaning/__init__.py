"""A document -> its cleaned text, or the reason why it is dropped: what every text gets
(normalise.py), clean-ups that a source names (cleanups.py, cleanups.toml), limits below which a
line or a document is dropped (filters.py), cuts of long texts (split.py)."""
