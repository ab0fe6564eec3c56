"""Draw a terminal session as docs/demo.svg:  script -qec 'strongroom demo' /dev/stdout | python docs/picture.py [FROM TO]

FROM and TO are texts in the first and last line wanted. Needs only rich.
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

_CURSOR = re.compile(r"\x1b\[[0-9;?]*[A-HJKhlsu]")


def main(first: str, last: str) -> None:
    lines = []
    for line in sys.stdin.read().replace("\r\n", "\n").split("\n"):
        # A progress bar draws over itself, and goes when it is done: what stands after the last clearing stays.
        for _ in range(line.count("\x1b[1A")):
            lines.pop()
        shown = _CURSOR.sub("", line.split("\x1b[2K")[-1].split("\r")[-1])
        lines.append(Text.from_ansi(shown))
    start = next((place for place, line in enumerate(lines) if first in line.plain), 0)
    end = next((place for place, line in enumerate(lines) if place > start and last and last in line.plain), len(lines))
    console = Console(record=True, width=118, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for line in lines[start : end + 1]:
        console.print(line)
    Path(__file__).with_name("demo.svg").write_text(console.export_svg(title="strongroom demo", theme=MONOKAI))


if __name__ == "__main__":
    main(*(sys.argv[1:3] or ["", ""]))
