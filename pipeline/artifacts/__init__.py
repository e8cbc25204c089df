"""The stage contract.

Finished work lives in folders that are named by a key (store.py), under a lock (locks.py), with a
manifest (manifest.py). What a key counts is in digests.py; files.py and parquet.py write files that
are whole or don't exist.
"""
