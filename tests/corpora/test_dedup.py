"""What counts as equal or alike, and which document stays: by texts alone, whatever their order and number of batches."""
import numpy as np
import pytest
from hypothesis import given, settings, strategies

from corpora.duplicates.dedup import (
    Texts,
    band_keys,
    choose,
    find_clusters,
    letter_hashes,
    lowest_hashes,
)

WORDS = [f"{stem}{ending}" for stem in ["하늘", "바다", "사람", "나라", "마음", "시간", "세상", "노래", "이름", "거리"] for ending in ["은", "는", "이", "가", "을", "를", "에", "도"]]


def sentence(seed, length=60):
    return " ".join(np.random.default_rng(seed).choice(WORDS, length))


def hashes_of(texts):
    return letter_hashes(Texts(texts), texts).tolist()


def test_spaces_punctuation_and_case_alone_make_no_difference():
    same = hashes_of(["정말 재밌다 ABC 12", "정말재밌다abc12", "정말, 재밌다!! (abc) 1-2♥", "정말\n\n재밌다 Abc 12 "])
    assert len(set(same)) == 1
    assert len(set(hashes_of(["정말 재밌다", "정말 재밌다 1", "재밌다 정말", "!!", "??", ""]))) == 6


def test_a_hash_depends_on_the_text_and_not_on_its_neighbours_in_the_batch():
    texts = [sentence(seed, 5 + seed) for seed in range(30)] + ["ㅋㅋㅋ", "가", "😀😀", "ᄒᆞᆫ글"]
    alone = [hashes_of([text])[0] for text in texts]
    assert hashes_of(texts) == alone
    assert hashes_of(texts[::-1]) == alone[::-1]
    keys = band_keys(Texts(texts), 5, 3, 4)
    for number, text in enumerate(texts):
        assert (band_keys(Texts([text]), 5, 3, 4)[:, 0] == keys[:, number]).all()


@given(strategies.lists(strategies.text(max_size=30), min_size=1, max_size=6))
@settings(max_examples=200)
def test_spans_are_told_apart_as_their_letters_are(texts):
    from corpora.duplicates.dedup import DIGIT, KINDS, LOWER
    letters = [tuple(int(LOWER[unit]) for unit in np.frombuffer(text.encode("utf-16-le"), "<u2") if KINDS[unit] >= DIGIT)
               for text in texts]
    hashes = hashes_of(texts)
    for left, left_hash in zip(letters, hashes):
        for right, right_hash in zip(letters, hashes):
            if left and right:
                assert (left == right) == (left_hash == right_hash)


@pytest.mark.parametrize("similarity", [0.3, 0.6, 0.9])
def test_the_share_of_equal_minhash_values_estimates_the_jaccard_similarity(similarity):
    found, true = [], []
    for trial in range(20):
        words = [f"낱말{trial}x{number}" for number in range(400)]
        shared = round(400 * similarity / (1 + similarity))  # of 200 each
        texts = Texts([" ".join(words[:200]), " ".join(words[:shared] + words[200:400 - shared])])
        keys = band_keys(texts, 1, 100, 1)
        found.append((keys[:, 0] == keys[:, 1]).mean())
        true.append(shared / (400 - shared))
    assert abs(np.mean(found) - np.mean(true)) < 0.04


def test_documents_that_share_most_words_in_a_row_are_alike_and_others_are_not():
    text = sentence(1, 200)
    words = text.split()
    edited = " ".join([*words[:100], "바뀐", "말", *words[102:]])
    keys = band_keys(Texts([text, edited, sentence(2, 200), "네 낱말은 너무 짧다"]), 5, 14, 8)
    assert (keys[:, 0] == keys[:, 1]).any()
    assert not (keys[:, 0] == keys[:, 2]).any()
    assert (keys[:, 3] == 0).all()


def test_clusters_join_through_any_column_and_zeros_join_nothing():
    columns = [np.array([1, 2, 1, 0, 0, 3, 4], np.uint64), np.array([0, 7, 8, 0, 7, 0, 8], np.uint64)]
    assert find_clusters(iter(columns), 7).tolist() == [0, 1, 0, 3, 1, 5, 0]


@given(strategies.lists(strategies.tuples(strategies.integers(0, 6), strategies.integers(0, 6)), max_size=40))
def test_clusters_are_the_connected_components(rows):
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    columns = [np.array([row[side] for row in rows], np.uint64) for side in (0, 1)]
    edges = [(i, j) for column in columns for i in range(len(rows)) for j in range(i) if column[i] == column[j] != 0]
    left, right = zip(*edges) if edges else ((), ())
    graph = coo_matrix((np.ones(len(edges)), (left, right)), (len(rows), len(rows)))
    expected = connected_components(graph, directed=False)[1] if rows else []
    found = find_clusters(columns, len(rows))
    assert [[a == b for b in found] for a in found] == [[a == b for b in expected] for a in expected]


def test_the_copy_that_stays_is_the_same_in_any_order():
    #         source, letters, bytes, hash
    rows = [(0, 10, 40, 5), (0, 10, 30, 9), (0, 10, 30, 7), (1, 99, 300, 1), (0, 8, 90, 2)]
    for order in np.random.default_rng(0).permuted(np.tile(np.arange(5), (20, 1)), axis=1):
        ranks, letters, sizes, hashes = (np.array([rows[number][field] for number in order], np.uint64) for field in range(4))
        columns = {"num_letters": letters, "bytes": sizes, "text": hashes, "letters": letters}
        dropped, kept, equal = choose(np.zeros(5, np.int32), ranks.astype(np.uint8), columns.__getitem__)
        assert set(order[kept]) == {2}
        assert sorted(order[dropped]) == [0, 1, 3, 4]
        assert dict(zip(order[dropped].tolist(), equal.tolist())) == {0: True, 1: True, 3: False, 4: False}


def test_validation_takes_its_share_of_the_bytes_whatever_the_order():
    hashes = np.random.default_rng(1).integers(1 << 63, size=2000, dtype=np.uint64) * np.uint64(2)
    sizes, mine = np.full(2000, 50, np.uint64), np.ones(2000, bool)
    chosen = lowest_hashes(hashes, sizes, mine, 0.1)
    assert len(chosen) == 200
    assert (np.sort(hashes[chosen]) == np.sort(hashes)[:200]).all()
    shuffled = np.random.default_rng(0).permutation(2000)
    assert set(shuffled[lowest_hashes(hashes[shuffled], sizes, mine, 0.1)]) == set(chosen)
    mine[chosen[:50]] = False
    assert not set(lowest_hashes(hashes, sizes, mine, 0.1)) & set(chosen[:50])


def test_a_source_of_one_document_keeps_it_for_training():
    assert len(lowest_hashes(np.array([1], np.uint64), np.array([10], np.uint64), np.array([True]), 0.3)) == 0


def test_no_share_chooses_nothing_and_ends():
    hashes = np.arange(1, 6, dtype=np.uint64)
    assert len(lowest_hashes(hashes, np.full(5, 10, np.uint64), np.ones(5, bool), 0.0)) == 0


def test_many_equal_documents_are_one_cluster():
    assert set(find_clusters([np.ones(300_000, np.uint64)], 300_000).tolist()) == {0}
