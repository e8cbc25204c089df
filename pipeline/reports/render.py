"""Pages from the templates beside this file."""

import json
from pathlib import Path

import jinja2

from pipeline.artifacts.files import write_text

TEMPLATES = Path(__file__).with_name("templates")


def write_page(path: Path, template: str, /, **values: object) -> None:
    """Write a page from templates/TEMPLATE.md.

    Raises what jinja2 raises for a value that isn't given.
    """
    pages = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    pages.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
    pages.filters |= {
        "commas": "{:,}".format,
        "fixed": fixed,
        "score": score,
        "signed": "{:+.1f}".format,
        "one_line": one_line,
        "quoted": quoted,
        "aligned": aligned,
        "joined": joined,
    }
    write_text(path, pages.get_template(f"{template}.md").render(**values))


def fixed(value: float, digits: int = 2) -> str:
    """A number with so many digits behind the point."""
    return f"{value:,.{digits}f}"


def score(value: float | None) -> str:
    """A score with one digit behind the point, or a dash where it isn't defined."""
    return "-" if value is None else f"{value:.1f}"


def quoted(text: str) -> str:
    """A text in quotes, with its white space made visible."""
    return json.dumps(text, ensure_ascii=False)


def one_line(text: str, length: int = 100) -> str:
    """The beginning of a text, fit for a list or a table."""
    shown = " ".join(text[:length].split()).replace("|", "\\|")
    return shown + ("…" if len(text) > length else "")


def joined(text: str) -> str:
    """Several lines of a template as one line of the page; those that stay empty are left out."""
    lines = (line.strip() for line in text.split("\n"))
    return " ".join(filter(None, lines)) + "\n"


def aligned(table: str) -> str:
    """A Markdown table whose columns are as wide as their widest cell, for the screen."""
    lines = table.strip().splitlines()
    header, _, *rows = ([cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines)
    widths = [max(len(cell) for cell in column) for column in zip(header, *rows)]
    rule = ["-" * width for width in widths]
    return "\n".join(
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths))} |"
        for row in (header, rule, *rows)
    )
