"""A folder's files -> sources to propose: files of one folder, one suffix and one structure belong
together."""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from corpora.errors import UserError
from corpora.paths import composed, match_paths
from corpora.source_keys import ROWS
from corpora.survey.fields import (
    ID_NAMES,
    TITLE_NAMES,
    Samples,
    guess_name,
    guess_text,
    mean_length,
)
from corpora.survey.look import look_at, suffix_of
from corpora.survey.plain import FEW_FILES, Lines, guess_unit
from corpora.survey.structure import Look

ABOUT_THE_DATA: Final = re.compile(r"(?i)(readme|licen[cs]e|changelog|copying)\b")
MAX_LOOKS: Final = 200
"""Files of one folder and suffix that are looked into; the others are taken to be alike if these
are."""
MAX_FOLDERS: Final = 6  # of files of one structure, above which they are one source
MAX_NAMES: Final = 200  # characters of the names of columns in a remark
NUM_SAMPLED: Final = 100  # files whose texts are compared
SHORT_ELEMENT: Final = 100  # characters on average, of a part of a dialogue

Reasons = dict[str, list[str]]
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

    @property
    def encodings(self) -> str:
        """The encodings seen, the commonest first."""
        counts = Counter(each.look.encoding for each in self.files if each.look.encoding)
        return ", ".join(name for name, _ in counts.most_common())


def find_sources(root: Path) -> tuple[list[Proposal], Reasons]:
    """Look at all files under a folder; return sources to propose, and why other files are none."""
    reasons: Reasons = {}
    groups: dict[tuple[str, str], list[Found]] = {}
    for each in _look_at_all(root, reasons):
        folder = each.label.rpartition("/")[0]
        groups.setdefault((folder, each.structure), []).append(each)
    proposals: list[Proposal] = []
    for (folder, _), files in sorted(_join_folders(groups).items()):
        if files[0].look.format in ROWS:
            proposals += _propose_rows(folder, files, reasons)
        elif files[0].look.format == "txt":
            proposals += _propose_texts(folder, files)
        else:
            proposals.append(Proposal(folder, files, dict(files[0].look.settings)))
    return proposals, reasons


def _look_at_all(root: Path, reasons: Reasons) -> list[Found]:
    of_suffix: dict[tuple[Path, str], list[Path]] = {}
    for path in match_paths("**/*", root):
        if ABOUT_THE_DATA.match(path.name):
            reasons.setdefault("seems to be about the data", []).append(_label(path, root))
        elif path.is_file():
            of_suffix.setdefault((path.parent, suffix_of(path.name)), []).append(path)
    if num_hidden := _count_hidden(root):
        reasons["hidden: the name begins with a dot"] = [f"{num_hidden} files"]
    found: list[Found] = []
    for paths in of_suffix.values():
        looked = _look(paths[:MAX_LOOKS], root, reasons)
        are_alike = len(looked) == MAX_LOOKS and len({each.structure for each in looked}) == 1
        for path in paths[MAX_LOOKS:] if are_alike else ():
            looked.append(Found(path, _label(path, root), looked[0].look.without_samples()))
        found += looked if are_alike else looked + _look(paths[MAX_LOOKS:], root, reasons)
    return found


def _look(paths: list[Path], root: Path, reasons: Reasons) -> list[Found]:
    found: list[Found] = []
    for path in paths:
        label = _label(path, root)
        try:
            looks = look_at(path)
        except UserError as error:
            reasons.setdefault(str(error).replace(f"{path}: ", ""), []).append(label)
            continue
        found += [Found(path, label, look) for look in looks]
        for unread in looks[0].unread:
            reasons.setdefault(unread, []).append(label)
    return found


def _label(path: Path, root: Path) -> str:
    return composed(path.relative_to(root).as_posix())


def _count_hidden(root: Path) -> int:
    """Files that no wildcard matches, of themselves or of their folders."""
    return sum(
        any(part.startswith(".") for part in (*Path(folder).relative_to(root).parts, name))
        for folder, _, names in os.walk(root)
        for name in names
    )


def _join_folders(
    groups: dict[tuple[str, str], list[Found]],
) -> dict[tuple[str, str], list[Found]]:
    """Join groups of one structure in many folders to one in the folder above, from the deepest
    up."""
    depth = max((folder.count("/") + bool(folder) for folder, _ in groups), default=0)
    while depth:
        num_folders = Counter(structure for _, structure in groups)
        joined: dict[tuple[str, str], list[Found]] = {}
        for (folder, structure), files in groups.items():
            are_cut = files[0].look.format == "wikiextractor"  # into AA, AB and so on
            is_one_of_many = num_folders[structure] > (1 if are_cut else MAX_FOLDERS)
            is_deepest = bool(folder) and folder.count("/") + 1 == depth
            above = folder.rpartition("/")[0] if is_one_of_many and is_deepest else folder
            joined.setdefault((above, structure), []).extend(files)
        groups = joined
        depth -= 1
    return groups


def _propose_texts(folder: str, files: list[Found]) -> list[Proposal]:
    """A source for each unit that the texts suggest: of each text by itself if there are few."""
    few = [[each] for each in files] if len(files) <= FEW_FILES else [files]
    by_unit: dict[str, Proposal] = {}
    for part in few:
        lines = Lines()
        for each in part:
            lines.add(each.look.lines)
        unit, seen = guess_unit(lines)
        settings = files[0].look.settings | {"unit": unit}
        proposal = by_unit.setdefault(unit, Proposal(folder, [], settings, {"unit": seen}))
        proposal.files += part
    return list(by_unit.values())


def _propose_rows(folder: str, files: list[Found], reasons: Reasons) -> Iterator[Proposal]:
    """A source for each column or path that holds the text of some of the files."""
    while files:
        samples: Samples = {}
        for each in files[:NUM_SAMPLED]:
            for name, texts in each.look.samples.items():
                samples.setdefault(name, []).extend(texts)
        text = guess_text(samples)
        has_it = [not each.look.samples or text in each.look.samples for each in files]
        of_source = [each for each, is_there in zip(files, has_it) if is_there]
        if not text and "" not in samples:
            reason = "no column or key of it holds text"
            reasons.setdefault(reason, []).extend(each.label for each in files)
            return
        yield _propose_row_source(folder, of_source, samples, text)
        files = [each for each, is_there in zip(files, has_it) if not is_there]


def _propose_row_source(folder: str, files: list[Found], samples: Samples, text: str) -> Proposal:
    settings = dict(files[0].look.settings)
    proposal = Proposal(folder, files, settings)
    if not text:  # strings in an array need no key
        return proposal
    settings["text"] = text
    samples = {
        name: samples[name] for name in samples if any(name in each.look.samples for each in files)
    }
    names = ", ".join(samples)
    proposal.remarks["text"] = f"of {names[:MAX_NAMES]}" + " ..." * (len(names) > MAX_NAMES)
    if files[0].look.layout == "objects" and text.count("[]") == 1:
        length = mean_length(samples[text])
        if length < SHORT_ELEMENT:
            settings["unit"] = "file"
            proposal.remarks["unit"] = (
                f"an element of {text.partition('[]')[0]} has {length:.0f} characters on average: "
                "all of a file's are one document. Leave unit out if each is one by itself"
            )
    if title := guess_name(samples, TITLE_NAMES, "" if settings.get("unit") else text):
        settings["title"] = title
    if name := guess_name(samples, ID_NAMES, text):
        proposal.remarks["text"] += f"; {name} looks like a name, for id and only"
    return proposal
