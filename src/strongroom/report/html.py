"""A report as one HTML page: no script, nothing loaded from elsewhere, readable on paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from strongroom.report.document import Block, Command, Document, Table

_STYLE = """
:root { color-scheme: light dark; --line: #8885; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2.5rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.7rem; line-height: 1.2; } h2 { margin-top: 2.6rem; border-bottom: 1px solid var(--line); padding-bottom: .2rem; }
h3 { margin-top: 1.8rem; } .wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .7rem .35rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; white-space: nowrap; } td { overflow-wrap: anywhere; min-width: 4rem; }
.pairs td:first-child { width: 15rem; }
code, pre { font: .88em ui-monospace, monospace; background: var(--soft); border-radius: 4px; }
code { padding: .1em .3em; } pre { padding: .6rem .8rem; overflow-x: auto; }
@media print { body { max-width: none; margin: 0; } pre { white-space: pre-wrap; } h2 { break-after: avoid; } }
"""
_CODE, _EMPHASIS = re.compile(r"`([^`]*)`"), re.compile(r"\*([^*]+)\*")


def render(document: Document) -> str:
    """The whole page."""
    body = "\n".join(_body(document))
    title = escape(document.title)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # Texts of a charter are escaped; this is in case one is not.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _body(document: Document) -> Iterator[str]:
    yield f"<h1>{_text(document.title)}</h1>"
    for paragraph in document.lead:
        yield f"<p>{_text(paragraph)}</p>"
    for section in document.sections:
        yield f"<h{section.level}>{_text(section.title)}</h{section.level}>"
        for block in section.blocks:
            yield from _block(block)


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Command):
        yield f"<pre>{escape(block.text)}</pre>"
    elif isinstance(block, Table):
        named = any(block.headers)
        yield '<div class="wide"><table>' if named else '<div class="wide"><table class="pairs">'
        if named:
            yield f"<tr>{''.join(f'<th>{_text(cell)}</th>' for cell in block.headers)}</tr>"
        for row in block.rows:
            yield f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>"
        yield "</table></div>"
    else:
        yield f"<p>{_text(block)}</p>"


def _text(text: str) -> str:
    found = []
    for at, part in enumerate(_CODE.split(text)):
        found.append(f"<code>{escape(part)}</code>" if at % 2 else _EMPHASIS.sub(r"<em>\1</em>", escape(part)))
    return "".join(found)
