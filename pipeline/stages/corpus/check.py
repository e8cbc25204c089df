"""When the corpus stage stops, because too little can be read or is left; and when it warns."""

import math

from corpora.errors import require
from corpora.recipe import Recipe, Source
from pipeline.stages.corpus.report import CorpusReport
from pipeline.stages.corpus.tally import UNREADABLE, Drops, Tally

CERTAINLY_BAD = 100
"""Unreadable records, and no others, in a shard, above which a setting is wrong, not a file
damaged."""
ENOUGH_VALIDATION_BYTES = 64 << 10
ENOUGH_VALIDATION_SHARE = 0.05


def check_shard(source: Source, tally: Tally) -> None:
    """Raise UserError when a shard holds nothing that can be read.

    There's no need then to read the source's other shards.
    """
    num_bad = sum(drops.count for drops in unreadable(tally).values())
    if num_bad > CERTAINLY_BAD and not tally.documents:
        check_readable(source, [tally])


def check_readable(source: Source, tallies: list[Tally]) -> None:
    """Raise UserError when more of a source can't be read than the recipe tolerates."""
    found = Tally()
    for tally in tallies:
        found.add_tally(tally)
    num_records = found.readable + found.unreadable
    require(
        num_records,
        f"source {source.name!r}: there is no record in it. Check the source's paths and `only`.",
    )
    examples = [
        f" {drops.examples[0].where}: {reason.removeprefix(UNREADABLE)}."
        for reason, drops in unreadable(found).items()
    ]
    share = found.unreadable / num_records
    require(
        share <= source.max_bad_share,
        f"source {source.name!r}: {found.unreadable} of {num_records} records can't be read "
        f"({share:.2%}), above its max_bad_share of {source.max_bad_share:.2%}."
        f"{''.join(examples[:3])} Mend the files, take them out of the source's paths, correct the "
        "source's format, unit or text, or do without these records: set max_bad_share = "
        f"{math.ceil(share * 1000) / 1000} in the source.",
    )


def unreadable(tally: Tally) -> dict[str, Drops]:
    """What was dropped because it can't be read, by the reason."""
    dropped = tally.dropped.items()
    return {reason: drops for reason, drops in dropped if reason.startswith(UNREADABLE)}


def check_result(recipe: Recipe, report: CorpusReport) -> None:
    """Raise UserError for a corpus that nothing can be trained or measured on."""
    by_count = sorted(report.dropped.items(), key=lambda item: -item[1])
    reasons = ", ".join(f"{reason} {count}" for reason, count in by_count)
    require(
        report.train.bytes,
        f"{recipe.title}: the corpus is empty: none of {report.documents} documents is left "
        f"({reasons}). Loosen the limits of the recipe's sources.",
    )
    require(
        report.validation.bytes or not recipe.validation_share,
        f"{recipe.title}: no document is left for validation: raise validation_share, or let the "
        'sources cut long texts (split = "paragraph").',
    )


def find_warnings(report: CorpusReport) -> list[str]:
    """What is thin, but will do."""
    warnings = []
    num_bytes = report.validation.bytes
    enough = ENOUGH_VALIDATION_SHARE * (report.train.bytes + num_bytes)
    if num_bytes < min(ENOUGH_VALIDATION_BYTES, enough):
        warnings.append(
            f"Only {num_bytes:,} bytes of validation text: bits per byte will be noisy."
        )
    for name, source in report.sources.items():
        if source.unreadable:
            warnings.append(describe_unreadable(name, source))
        if not source.train.documents:
            warnings.append(f"Source {name} contributes no training text.")
    return warnings


def describe_unreadable(name: str, source: Tally) -> str:
    """How much of a source can't be read, and where most of it is."""
    share = source.unreadable / (source.readable + source.unreadable)
    worst, count = max(source.unreadable_in.items(), key=lambda item: item[1])
    records = "1 record" if source.unreadable == 1 else f"{source.unreadable:,} records"
    return (
        f"{records} of source {name} couldn't be read ({share:.2%}); the worst file is {worst} "
        f"with {count:,}. They are in rejects/ with their places."
    )
