"""A file, archive or Hub data set -> documents, one reader a file (read.py chooses); and how a
recipe's sources are cut into shards (shards.py)."""
