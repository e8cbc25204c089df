"""Documents that are equal or alike: texts as arrays (texts.py), MinHash (minhash.py), the clusters
that join them (clusters.py), and the one of each that stays (precedence.py)."""
