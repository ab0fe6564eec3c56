"""A charter's own words, made fit to stand in a report."""

from __future__ import annotations


def plain(text: str) -> str:
    """``text`` without what would set type here, and without the full stop at its end."""
    return text.strip().rstrip(".").replace("`", "'").replace("*", "\u2217")
