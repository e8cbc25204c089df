"""`python -m pipeline`: the command line (cli.py)."""

from pipeline.cli import main

main()
