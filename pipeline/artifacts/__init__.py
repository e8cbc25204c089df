"""The stage contract: keys, locks, manifests, and the folders that finished work lives in (store.py);
files written whole or not at all (files.py); and what keys count (digests.py)."""
