"""A folder's files -> sources to propose: files of one folder, one suffix and one structure belong
together."""

import json
import os
import re
import statistics
import textwrap
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from corpora.errors import UserError
from corpora.paths import composed, match_paths
from corpora.source_keys import ROWS
from corpora.survey.fields import Samples, guess_text, guess_title
from corpora.survey.look import look_at, suffix_of
from corpora.survey.plain import FEW_FILES, guess_unit
from corpora.survey.structure import Look

ABOUT_THE_DATA: Final = re.compile(r"(?i)(readme|licen[cs]e|changelog|copying)\b")
MAX_LOOKS: Final = 200
"""Files of one folder and suffix that are looked into; the others are taken to be alike if these
are."""
MAX_FOLDERS: Final = 6  # of files of one structure, above which they are one source
NUM_SAMPLED: Final = 100  # files whose texts are compared
SHORT_ELEMENT: Final = 100  # characters on average, of a part of a dialogue

Reasons = defaultdict[str, list[str]]
"""Why files aren't read -> their labels."""


@dataclass
class Found:
    """A file, or an archive's members of one suffix, and what was seen of it."""

    path: Path
    label: str  # its path under the folder, NFC
    look: Look

    @property
    def structure(self) -> str:
        """What files of one source have in common, apart from their folder."""
        fixed = [suffix_of(self.path.name), self.look.format, self.look.layout, self.look.settings]
        is_table = self.look.format in ("csv", "tsv", "parquet")
        return json.dumps([*fixed, list(self.look.samples) if is_table else []])


@dataclass
class Proposal:
    """A source to propose: what a recipe says of it, and what each guess rests on."""

    folder: str
    files: list[Found]
    settings: dict[str, Any]
    remarks: dict[str, str] = field(default_factory=dict)  # by the setting


def find_sources(root: Path) -> tuple[list[Proposal], Reasons]:
    """Look at all files under a folder; return sources to propose, and why other files are none."""
    reasons: Reasons = defaultdict(list)
    by_structure: dict[str, list[Found]] = defaultdict(list)
    for each in _look_at_all(root, reasons):
        by_structure[each.structure].append(each)
    proposals: list[Proposal] = []
    for alike in by_structure.values():
        for folder, files in _split_by_folder(alike).items():
            if files[0].look.format in ROWS:
                proposals += _propose_rows(folder, files, reasons)
            elif files[0].look.format == "txt":
                proposals += _propose_texts(folder, files)
            else:
                proposals.append(Proposal(folder, files, files[0].look.settings))
    return sorted(proposals, key=lambda each: each.files[0].label), reasons


def _look_at_all(root: Path, reasons: Reasons) -> list[Found]:
    of_suffix: dict[tuple[Path, str], list[Path]] = defaultdict(list)
    for path in match_paths("**/*", root):
        if ABOUT_THE_DATA.match(path.name):
            reasons["seems to be about the data"].append(_label(path, root))
        elif path.is_file():
            of_suffix[path.parent, suffix_of(path.name)].append(path)
    if num_hidden := _count_hidden(root):
        reasons["hidden: the name begins with a dot"] = [f"{num_hidden} files"]
    found: list[Found] = []
    for paths in of_suffix.values():
        looked = _look(paths[:MAX_LOOKS], root, reasons)
        others = paths[MAX_LOOKS:]
        if len(looked) == MAX_LOOKS and len({each.structure for each in looked}) == 1:
            look = looked[0].look
            found += [Found(path, _label(path, root), look) for path in others]
        else:
            looked += _look(others, root, reasons)
        found += looked
    return sorted(found, key=lambda each: each.label)


def _look(paths: list[Path], root: Path, reasons: Reasons) -> list[Found]:
    found: list[Found] = []
    for path in paths:
        label = _label(path, root)
        try:
            looks = look_at(path)
        except UserError as error:
            reasons[str(error).replace(f"{path}: ", "")].append(label)
            continue
        found += [Found(path, label, look) for look in looks]
        for unread in looks[0].unread:
            reasons[unread].append(label)
    return found


def _label(path: Path, root: Path) -> str:
    return composed(path.relative_to(root).as_posix())


def _count_hidden(root: Path) -> int:
    """Files that no wildcard matches, of themselves or of their folders."""
    return sum(
        any(part.startswith(".") for part in path.relative_to(root).parts) and path.is_file()
        for path in root.rglob("*")
    )


def _split_by_folder(files: list[Found]) -> dict[str, list[Found]]:
    """Files of one structure by their folder; all in the one above if they lie in many."""
    by_folder: dict[str, list[Found]] = defaultdict(list)
    for each in files:
        by_folder[each.label.rpartition("/")[0]].append(each)
    # WikiExtractor's output is cut into the folders AA, AB and so on.
    are_one = len(by_folder) > MAX_FOLDERS or files[0].look.format == "wikiextractor"
    if not are_one:
        return by_folder
    return {"" if "" in by_folder else os.path.commonpath(by_folder): files}


def _propose_texts(folder: str, files: list[Found]) -> list[Proposal]:
    """A source for each unit that the texts suggest: of each text by itself if there are few."""
    parts = [[each] for each in files] if len(files) <= FEW_FILES else [files]
    by_unit: dict[str, Proposal] = {}
    for part in parts:
        unit, seen = guess_unit([each.look.lines for each in part if each.look.lines])
        settings = files[0].look.settings | {"unit": unit}
        proposal = by_unit.setdefault(unit, Proposal(folder, [], settings, {"unit": seen}))
        proposal.files += part
    return list(by_unit.values())


def _propose_rows(folder: str, files: list[Found], reasons: Reasons) -> Iterator[Proposal]:
    """A source for each column or path that holds the text of some of the files."""
    while files:
        samples: Samples = defaultdict(list)
        for each in files[:NUM_SAMPLED]:
            for name, texts in each.look.samples.items():
                samples[name] += texts
        text = guess_text(samples)
        if not text and "" not in samples:
            reason = f"read as {files[0].look.format}, no column or key of it holds text"
            reasons[reason] += [each.label for each in files]
            return
        yield _propose_row_source(
            folder, [each for each in files if text in each.look.samples], samples, text
        )
        files = [each for each in files if text not in each.look.samples]


def _propose_row_source(folder: str, files: list[Found], samples: Samples, text: str) -> Proposal:
    settings = dict(files[0].look.settings)
    proposal = Proposal(folder, files, settings)
    if not text:  # strings in an array need no key
        return proposal
    settings["text"] = text
    proposal.remarks["text"] = textwrap.shorten(f"of {', '.join(samples)}", 200, placeholder=" ...")
    if files[0].look.layout == "objects" and text.count("[]") == 1:
        length = statistics.fmean(map(len, samples[text]))
        if length < SHORT_ELEMENT:
            settings["unit"] = "file"
            proposal.remarks["unit"] = (
                f"an element of {text.partition('[]')[0]} has {length:.0f} characters on average: "
                "all of a file's are one document. Leave unit out if each is one by itself"
            )
    if title := guess_title(samples, "" if settings.get("unit") else text):
        settings["title"] = title
    return proposal
