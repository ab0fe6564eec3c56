"""A report as Markdown (CommonMark with tables). Nothing in it is the reader's to trust: texts of a charter are escaped."""

from __future__ import annotations

import re
from collections.abc import Iterator

from strongroom.report.document import Block, Command, Document, Table

_SPECIAL = re.compile(r"([\\\[\]<>|#!_])")


def render(document: Document) -> str:
    """The whole text, ending in a line feed."""
    return "\n".join(_lines(document)).rstrip() + "\n"


def _lines(document: Document) -> Iterator[str]:
    yield f"# {_text(document.title)}"
    for paragraph in document.lead:
        yield ""
        yield _text(paragraph)
    for section in document.sections:
        yield ""
        yield f"{'#' * section.level} {_text(section.title)}"
        for block in section.blocks:
            yield ""
            yield from _block(block)


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Command):
        yield "```sh"
        yield block.text
        yield "```"
    elif isinstance(block, Table):
        yield f"| {' | '.join(map(_text, block.headers))} |"
        yield f"|{'---|' * len(block.headers)}"
        for row in block.rows:
            yield f"| {' | '.join(map(_text, row))} |"
    else:
        yield _text(block)


def _text(text: str) -> str:
    # Between backquotes everything but a bar of a table stands for itself.
    parts = " ".join(text.split()).split("`")
    return "`".join(
        part.replace("|", "\\|") if at % 2 else _SPECIAL.sub(r"\\\1", part) for at, part in enumerate(parts)
    )
