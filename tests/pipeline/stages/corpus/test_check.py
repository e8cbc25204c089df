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


@pytest.mark.parametrize("num_bad, num_good, stops", [(1, 1, False), (2, 1, True), (10, 10, False)])
def test_a_few_unreadable_records_up_to_half_do_not_stop_a_small_source(num_bad, num_good, stops):
    tallies = [Tally(unreadable=num_bad), Tally(documents=num_good)]
    if stops:
        with pytest.raises(UserError, match=f"{num_bad} of {num_bad + num_good} records"):
            check_readable(SOURCE, tallies)
    else:
        check_readable(SOURCE, tallies)


def test_one_shard_without_anything_readable_stops_the_run_only_if_it_is_large():
    check_shard(SOURCE, Tally(unreadable=100))
    check_shard(SOURCE, Tally(unreadable=101, documents=1))
    with pytest.raises(UserError, match="101 of 101"):
        check_shard(SOURCE, Tally(unreadable=101))


def test_little_validation_text_and_a_source_without_training_text_are_warned_of():
    assert find_warnings(make_report(1_000_000, 60_000)) == []
    assert find_warnings(make_report(100_000_000, 70_000)) == []
    (thin,) = find_warnings(make_report(2_000_000, 60_000))
    assert "Only 60,000 bytes of validation text" in thin
    empty = Tally()
    assert find_warnings(make_report(1_000_000, 60_000, a=empty)) == [
        "Source a contributes no training text."
    ]
