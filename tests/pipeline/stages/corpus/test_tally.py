"""Counts of shards: their way through JSON, and how they add up."""

import json
from dataclasses import asdict

from pydantic import TypeAdapter

from pipeline.stages.corpus.tally import NUM_EXAMPLES, NUM_PAIRS, Pair, Tally


def make_tally(num_drops: int, ranks: range) -> Tally:
    """A tally of so many drops for one reason, with pairs of these ranks."""
    tally = Tally(documents=10, characters=100, bytes=300, kept=7)
    for number in range(num_drops):
        tally.drop("too short", f"a:{number}", "짧다")
    tally.add_pairs([Pair(rank, f"a:{rank}", "전", "후") for rank in ranks])
    tally.personal_data = {"email": num_drops}
    return tally


def test_a_tally_comes_back_from_json_as_it_was():
    tally = make_tally(3, range(-(2**63), -(2**63) + 2))
    text = json.dumps([asdict(tally)])
    assert TypeAdapter(list[Tally]).validate_python(json.loads(text)) == [tally]


def test_adding_sums_the_counts_and_keeps_the_first_examples_and_the_highest_ranks():
    total = make_tally(4, range(0, 8))
    total.add_tally(make_tally(3, range(4, 12)))
    assert (total.documents, total.characters, total.bytes, total.kept) == (20, 200, 600, 14)
    assert total.personal_data == {"email": 7}
    assert total.dropped["too short"].count == 7
    places = [example.where for example in total.dropped["too short"].examples]
    assert places == ["a:0", "a:1", "a:2", "a:3", "a:0"][:NUM_EXAMPLES]
    assert len(total.pairs) == NUM_PAIRS
    assert [pair.rank for pair in total.pairs] == [11, 10, 9, 8, 7, 7, 6, 6, 5, 5]


def test_a_pair_of_a_low_rank_is_not_wanted_once_there_are_enough():
    tally = make_tally(0, range(5, 5 + NUM_PAIRS - 1))
    assert tally.wants_pair(0)
    tally.add_pairs([Pair(4, "a", "전", "후")])
    assert not tally.wants_pair(3)
    assert tally.wants_pair(6)


def test_unreadable_records_count_by_the_reason_not_by_the_byte():
    tally = Tally()
    for place in ("byte 3 (0xff)", "byte 4711 of the file (0x80)"):
        tally.drop(f"unreadable: {place} is neither UTF-8 nor CP949", "a.txt:1", "")
    [(reason, drops)] = tally.dropped.items()
    assert reason == "unreadable: neither UTF-8 nor CP949"
    places = ["a.txt:1, byte 3 (0xff)", "a.txt:1, byte 4711 of the file (0x80)"]
    assert [example.where for example in drops.examples] == places


def test_evaluation_text_counts_by_task_and_split_not_by_row():
    tally = Tally()
    for row in ("sample-1", "sample-2"):
        tally.drop(f"evaluation text: nli validation {row}", "a:1", "가")
    assert {reason: drops.count for reason, drops in tally.dropped.items()} == {
        "evaluation text: nli validation": 2
    }
