"""Labelled tasks: what each looks like and how it is scored (klue.toml, task.py), and its rows,
read and checked (rows.py). No scores, no models."""
