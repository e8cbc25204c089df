"""Drawing the documents to train on."""

import random

from tokenizer.sample import draw_sample

DOCUMENTS = [f"문서 {number} " + "글" * (number % 50) for number in range(2000)]


def test_the_sample_depends_on_the_seed_and_not_on_the_order_of_the_documents():
    shuffled = random.Random(3).sample(DOCUMENTS, len(DOCUMENTS))
    drawn = draw_sample(DOCUMENTS, 20_000, seed=1)
    assert drawn == draw_sample(iter(shuffled), 20_000, seed=1)
    assert set(drawn) != set(draw_sample(DOCUMENTS, 20_000, seed=2))


def test_the_sample_is_the_least_number_of_whole_documents_that_holds_the_bytes():
    drawn = draw_sample(DOCUMENTS, 20_000, seed=1)
    sizes = [len(text.encode()) for text in drawn]
    assert set(drawn) <= set(DOCUMENTS)
    assert len(drawn) == len(set(drawn))
    assert sum(sizes[:-1]) < 20_000 <= sum(sizes)


def test_a_sample_larger_than_the_text_is_all_of_it_once():
    assert sorted(draw_sample(["나", "가", "다"], 10**9, seed=1)) == ["가", "나", "다"]
