"""A file, archive or Hub data set -> documents, by the reader of its format (formats/); and how a
recipe's sources are cut into shards (shards.py)."""
