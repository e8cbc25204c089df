"""When a corpus is too thin, and what is merely said of it."""

import pytest

from corpora.errors import UserError
from corpora.recipe import load_recipe
from pipeline.stages.corpus.check import check_readable, check_shard, find_warnings
from pipeline.stages.corpus.reduce import ClusterCounts
from pipeline.stages.corpus.report import CorpusReport
from pipeline.stages.corpus.tally import Size, Tally

SOURCE = load_recipe("sample").source[0]


def make_report(train: int, validation: int, **sources: Tally) -> CorpusReport:
    """A report of so many bytes."""
    report = CorpusReport(
        title="A corpus",
        clusters=ClusterCounts(clusters=0, documents=0, sizes={}, largest=[]),
        steps={},
    )
    report.train = Size(1, 1, train)
    report.validation = Size(1, 1, validation)
    report.sources = sources
    return report


def make_tally(num_bad: int, num_good: int = 0) -> Tally:
    """A shard of so many records that can't be read and so many that can."""
    tally = Tally(documents=num_good, readable=num_good)
    for number in range(1, num_bad + 1):
        tally.count_unreadable(f"a.txt:{number}", 1)
        tally.drop("unreadable: byte 7 (0xff) is neither", f"a.txt:{number}", "")
    return tally


@pytest.mark.parametrize(
    "num_bad, num_good, share, stops",
    [
        (1, 1, 0.01, True),
        (1, 98, 0.01, True),
        (1, 99, 0.01, False),
        (1, 10**6, 0.0, True),
        (0, 1, 0.0, False),
        (10, 10, 0.49, True),
        (10, 10, 0.5, False),
        (10, 0, 1.0, False),
    ],
)
def test_the_share_of_unreadable_records_is_exactly_what_the_recipe_allows(
    num_bad, num_good, share, stops
):
    source = SOURCE.model_copy(update={"max_bad_share": share})
    tallies = [make_tally(num_bad), make_tally(0, num_good)]
    if stops:
        with pytest.raises(UserError, match=f"{num_bad} of {num_bad + num_good} records"):
            check_readable(source, tallies)
    else:
        check_readable(source, tallies)


def test_the_message_names_the_byte_and_the_share_that_would_allow_it():
    with pytest.raises(UserError) as error:
        check_readable(SOURCE, [make_tally(2, 998), make_tally(19, 998)])
    message = str(error.value)
    assert "21 of 2017 records can't be read (1.04%), above its max_bad_share of 1.00%" in message
    assert " a.txt:1, byte 7 (0xff): neither." in message
    assert "set max_bad_share = 0.011 in the source" in message


def test_a_source_without_any_record_is_refused():
    with pytest.raises(UserError, match="there is no record in it"):
        check_readable(SOURCE, [Tally()])


def test_one_shard_without_anything_readable_stops_the_run_only_if_it_is_large():
    check_shard(SOURCE, make_tally(100))
    check_shard(SOURCE, make_tally(101, 1))
    check_shard(SOURCE.model_copy(update={"max_bad_share": 1.0}), make_tally(101))
    with pytest.raises(UserError, match="101 of 101"):
        check_shard(SOURCE, make_tally(101))


def test_what_could_not_be_read_is_told_with_the_worst_file():
    source = make_tally(2, 2990)
    source.train = Size(1, 1, 1)
    for _ in range(7):
        source.count_unreadable("b/c:d.txt:3", 1)
    source.count_unreadable("e.txt", 1)
    (told,) = find_warnings(make_report(1_000_000, 60_000, news=source))
    assert told == (
        "10 records of source news couldn't be read (0.33%); the worst file is b/c:d.txt with 7. "
        "They are in rejects/ with their places."
    )


def test_little_validation_text_and_a_source_without_training_text_are_warned_of():
    assert find_warnings(make_report(1_000_000, 60_000)) == []
    assert find_warnings(make_report(100_000_000, 70_000)) == []
    (thin,) = find_warnings(make_report(2_000_000, 60_000))
    assert "Only 60,000 bytes of validation text" in thin
    empty = Tally()
    assert find_warnings(make_report(1_000_000, 60_000, a=empty)) == [
        "Source a contributes no training text."
    ]
