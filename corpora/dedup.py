"""Equal documents: a hash of what they say, and which of several equal ones stays.

Documents that are merely alike are not found here.
"""
import numpy
import xxhash

HASH_BYTES = 16


def document_hash(text: str) -> bytes:
    """xxh3-128 of the text without regard to white space, 16 bytes."""
    return xxhash.xxh3_128_digest(" ".join(text.split()).encode())


def hashes_to_array(hashes: bytes) -> numpy.ndarray:
    """Concatenated hashes -> (documents, 2) uint64, high word first, so that rows sort as the hashes do."""
    return numpy.frombuffer(hashes, dtype=">u8").reshape(-1, 2).astype(numpy.uint64)


def first_occurrences(hashes: numpy.ndarray) -> numpy.ndarray:
    """True for every row of (documents, 2) that no earlier row equals.

    One sort: about 60 bytes a document at the peak.
    """
    order = numpy.lexsort((hashes[:, 1], hashes[:, 0]))  # stable: equal hashes stay in source order
    sorted_hashes = hashes[order]
    first = numpy.ones(len(hashes), dtype=bool)
    first[1:] = (sorted_hashes[1:] != sorted_hashes[:-1]).any(axis=1)
    kept = numpy.empty(len(hashes), dtype=bool)
    kept[order] = first
    return kept


def lowest_hashes(hashes: numpy.ndarray, num_bytes: numpy.ndarray, share: float) -> numpy.ndarray:
    """True for the documents with the lowest hashes that together reach `share` of the bytes, or come closest.

    A document's rank depends on its text alone, so adding documents moves few others from one side to the other.
    """
    order = numpy.lexsort((hashes[:, 1], hashes[:, 0]))
    before = numpy.cumsum(num_bytes[order]) - num_bytes[order] / 2
    chosen = numpy.zeros(len(hashes), dtype=bool)
    chosen[order[before < share * num_bytes.sum()]] = True
    return chosen
