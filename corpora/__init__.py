"""Korean text: where it comes from, how it is cleaned, and the labelled tasks. Knows nothing of
tokens or models."""
