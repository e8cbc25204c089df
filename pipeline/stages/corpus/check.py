"""When the corpus stage stops, because too little can be read or is left; and when it warns."""

from corpora.errors import require
from corpora.recipe import Recipe, Source
from pipeline.stages.corpus.report import CorpusReport
from pipeline.stages.corpus.tally import Tally

TOLERATED_BAD = 10
"""Unreadable records that a source may have up to half of it: one bad line mustn't stop a small
file."""
CERTAINLY_BAD = 100
"""Unreadable records, and no others, in a shard, above which a setting is wrong, not a file
damaged."""
ENOUGH_VALIDATION_BYTES = 64 << 10
ENOUGH_VALIDATION_SHARE = 0.05


def check_shard(source: Source, tally: Tally) -> None:
    """Raise UserError when a shard holds nothing that can be read.

    There's no need then to read the source's other shards.
    """
    if tally.unreadable > CERTAINLY_BAD and not tally.documents:
        check_readable(source, [tally])


def check_readable(source: Source, tallies: list[Tally]) -> None:
    """Raise UserError when more of a source can't be read than the recipe tolerates."""
    num_bad = sum(tally.unreadable for tally in tallies)
    num_records = num_bad + sum(tally.documents for tally in tallies)
    tolerated = max(min(TOLERATED_BAD, num_records // 2), source.max_bad_share * num_records)
    examples = [
        f" {drops.examples[0].where}: {reason}."
        for tally in tallies
        for reason, drops in tally.dropped.items()
        if reason.startswith("unreadable")
    ]
    require(
        num_bad <= tolerated and num_bad < num_records,
        f"source {source.name!r}: {num_bad} of {num_records} records can't be read, above the "
        f"recipe's max_bad_share of {source.max_bad_share:.1%}.{''.join(examples[:3])} Mend the "
        "file, take it out of the source's paths, or correct the source's format, unit or text.",
    )


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
        if not source.train.documents:
            warnings.append(f"Source {name} contributes no training text.")
    return warnings
