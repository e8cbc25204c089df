"""Sources that were proposed -> a recipe in TOML, with what was found in comments."""

import json
import re
import textwrap
from collections import Counter
from pathlib import Path
from typing import Any, Final

from corpora.paths import match_paths
from corpora.survey.check import Reading
from corpora.survey.groups import Proposal, Reasons
from corpora.survey.look import suffix_of

WIDTH: Final = 100
LICENCE: Final = "unknown: fill in"
VALIDATION_BYTES: Final = 200_000
LARGEST_SHARE: Final = 0.05
PACKED: Final = 3  # bytes of text that a byte of a compressed file holds, or so
LONG: Final = 20_000  # characters of a document that is worth cutting
SHORT: Final = 100  # characters of a comment, a review, a line of a dialogue
MAX_LISTED: Final = 5  # files that are named for one reason
MARKDOWN: Final = ["front_matter", "code_blocks", "markdown_marks"]
WIKI: Final = ["empty_parentheses", "loose_punctuation"]
ENTITY: Final = re.compile(r"&(?:[a-z]{2,6}|#\d{1,5});")

TOP: Final = """\
# Written by `make recipe` from what it found; a guess says what it rests on. Correct what is wrong,
# state the licences, and see corpora/README.md and corpora/recipe.py for all that can be set.
title = {title}
description = "What the text is, for the dataset card: fill in."
validation_share = {share}
"""
EVALUATION: Final = """\
# Documents that hold text of KLUE's validation sets are taken out by tables like this one, of the
# tasks nli, ynat, sts and re; data is hub, or a folder under DATA=.
#
# [[evaluation]]
# task = "nli"
# split = "validation"
# data = "hub"
"""


def write_recipe(
    root: Path, sources: list[tuple[Proposal, Reading]], reasons: Reasons
) -> tuple[str, list[str]]:
    """Return a recipe's text, and the names of its sources in order."""
    names = _name_sources([proposal for proposal, _ in sources])
    num_bytes = sum(_text_bytes(proposal) for proposal, _ in sources)
    share = min(LARGEST_SHARE, max(0.001, VALIDATION_BYTES / max(1, num_bytes)))
    title = quote(f"Text in {root.resolve().name}")
    parts = [TOP.format(title=title, share=f"{share:.3g}")]
    for name, (proposal, reading) in zip(names, sources):
        parts.append(_write_source(root, name, proposal, reading))
    parts.append(EVALUATION)
    if reasons:
        parts.append(_write_reasons(reasons))
    return "\n".join(parts), names


def quote(value: Any) -> str:
    """A string or a list of strings as TOML has it."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def find_patterns(root: Path, proposal: Proposal) -> list[str]:
    """Return globs that match exactly the files of a source; in the last resort their names."""
    files = {each.path for each in proposal.files}
    labels = list(dict.fromkeys(each.label for each in proposal.files))
    folder = f"{proposal.folder}/" if proposal.folder else ""
    suffix = suffix_of(labels[0])
    with_stars = sorted({re.sub(r"\d+", "*", label) for label in labels})
    for patterns in ([f"{folder}*{suffix}"], [f"{folder}**/*{suffix}"], with_stars):
        matched = {path for each in patterns for path in match_paths(each, root) if path.is_file()}
        if matched == files:
            return patterns if len(files) > 1 else labels
    return labels


def _name_sources(proposals: list[Proposal]) -> list[str]:
    names: list[str] = []
    for proposal in proposals:
        last = proposal.folder.rpartition("/")[2].lower()
        first_file = proposal.files[0].label.rpartition("/")[2].lower().partition(".")[0]
        stem = first_file if len(proposal.files) == 1 else last
        slug = re.sub(r"[^a-z0-9]+", "-", stem).strip("-")
        base = slug if re.search("[a-z]", slug) else proposal.files[0].look.format
        taken = [name for name in names if name == base or re.fullmatch(rf"{base}-\d+", name)]
        names.append(f"{base}-{len(taken) + 1}" if taken else base)
    return names


def _text_bytes(proposal: Proposal) -> int:
    packed = (".gz", ".bz2", ".xz", ".zst", ".zip", ".tgz", ".parquet")
    paths = {each.path for each in proposal.files}
    sizes = {path: path.stat().st_size for path in paths}
    return sum(
        size * (PACKED if path.name.lower().endswith(packed) else 1) for path, size in sizes.items()
    )


def _write_source(root: Path, name: str, proposal: Proposal, reading: Reading) -> str:
    num_files = len({each.path for each in proposal.files})
    num_bytes = sum(path.stat().st_size for path in {each.path for each in proposal.files})
    size = f"{num_bytes / 1e6:,.1f} MB" if num_bytes >= 1e5 else f"{num_bytes / 1e3:,.1f} KB"
    seen = [f"{num_files:,} file{'s' * (num_files != 1)}, {size}"]
    if proposal.encodings:
        seen.append(f"encoding: {proposal.encodings}")
    seen.append(f"a document has {reading.median_length:,.0f} characters (median of those read)")
    lines = _comment("; ".join(seen))
    if reading.bad:
        first = reading.bad[0]
        lines += _comment(
            f"Of the first {len(reading.bad) + len(reading.documents)} records "
            f"{len(reading.bad)} can't be read: {first.where}: {first.reason}"
        )
    lines += [
        "[[source]]",
        f"name = {quote(name)}",
        'kind = "files"',
        f"licence = {quote(LICENCE)}  # as the publisher states it",
        *_write_setting("paths", find_patterns(root, proposal), ""),
    ]
    settings = proposal.settings | _guess_cleaning(proposal, reading)
    for key, value in settings.items():
        lines += _write_setting(key, value, proposal.remarks.get(key, ""))
    return "\n".join([*lines, ""])


def _write_setting(key: str, value: Any, remark: str) -> list[str]:
    """A setting on one line, or a long list on a line each; its remark above it if it is long."""
    line = f"{key} = {quote(value) if isinstance(value, str | list) else value}"
    if isinstance(value, list) and len(line) > WIDTH:
        return [f"{key} = [", *(f"    {quote(each)}," for each in value), "]"]
    if not remark:
        return [line]
    one_line = f"{line}  # {' '.join(remark.split())}"
    return [one_line] if len(one_line) <= WIDTH else [*_comment(f"{key}: {remark}"), line]


def _guess_cleaning(proposal: Proposal, reading: Reading) -> dict[str, Any]:
    """A few clean-ups and limits that fit what was read."""
    texts = [record.text for record in reading.documents]
    clean: list[str] = []
    if proposal.files[0].look.format == "md":
        clean += MARKDOWN
    if any(ENTITY.search(text) for text in texts):
        clean.append("entities")
    if proposal.files[0].look.format == "wikiextractor":
        clean += WIKI
    is_short = reading.median_length < SHORT
    if is_short:
        clean.append("repeats")
    settings: dict[str, Any] = {"clean": [*clean, "whitespace"], "min_chars": 5 if is_short else 20}
    if max(reading.lengths, default=0) > LONG:
        settings |= {"split": "paragraph", "split_bytes": 8000}
    return settings


def _write_reasons(reasons: Reasons) -> str:
    lines = ["# Not read:"]
    for reason, labels in reasons.items():
        counts = Counter(labels)
        more = f" and {len(counts) - MAX_LISTED} more" if len(counts) > MAX_LISTED else ""
        lines += _comment(f"- {', '.join(list(counts)[:MAX_LISTED])}{more}: {reason}")
    return "\n".join([*lines, ""])


def _comment(text: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent="# ", subsequent_indent="#   ", break_long_words=False
    )
