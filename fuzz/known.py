"""What is known to be broken, by target, until it is mended: then its row has to go, or the tests fail.

An input that shows it lies in ``fuzz/corpus/TARGET``.
"""

from __future__ import annotations

KNOWN: dict[str, str] = {}
