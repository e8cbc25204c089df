"""Of equal documents the first one stays; the validation split depends on texts, not on their order."""
import numpy

from corpora.dedup import document_hash, first_occurrences, hashes_to_array, lowest_hashes


def hashes_of(texts):
    return hashes_to_array(b"".join(map(document_hash, texts)))


def test_white_space_alone_makes_no_difference():
    assert document_hash("가  나\n다 ") == document_hash("가 나 다") != document_hash("가 나다")


def test_the_first_of_equal_documents_stays():
    assert first_occurrences(hashes_of(["가", "나", "가", "다", "나", "가"])).tolist() == [True, True, False, True, False,
                                                                                           False]
    assert first_occurrences(hashes_of([])).tolist() == []


def test_hashes_that_share_one_half_are_different_documents():
    assert first_occurrences(numpy.array([[1, 2], [1, 3], [2, 2], [1, 2]], dtype=numpy.uint64)).tolist() == [
        True, True, True, False]


def test_validation_takes_its_share_of_the_bytes_whatever_the_order():
    texts = [f"문서 {number}" for number in range(2000)]
    hashes, num_bytes = hashes_of(texts), numpy.full(2000, 50)
    chosen = lowest_hashes(hashes, num_bytes, 0.1)
    assert chosen.sum() == 200
    shuffled = numpy.random.default_rng(0).permutation(2000)
    assert (lowest_hashes(hashes[shuffled], num_bytes, 0.1) == chosen[shuffled]).all()


def test_a_source_of_one_document_keeps_it_for_training():
    assert lowest_hashes(hashes_of(["가"]), numpy.array([10]), 0.3).tolist() == [False]
