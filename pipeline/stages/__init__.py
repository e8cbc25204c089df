"""One stage a file or folder, each with a `run` to read from top to bottom; stage.py has their
table, their keys, and how one is run."""
