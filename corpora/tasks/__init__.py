"""Labelled tasks: what each looks like and how it is scored (klue.toml, task.py), and its rows,
found and read (layouts.py) and checked (rows.py). No scores, no models."""
