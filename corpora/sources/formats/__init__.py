"""A format of files -> documents, one reader a file; columns.py makes documents of rows."""
