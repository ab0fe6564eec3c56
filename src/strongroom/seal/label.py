"""The text that begins every derivation of ours, so that no two uses share an input (SPEC.md section 1.2)."""

from __future__ import annotations

__all__ = ["label"]


def label(name: str) -> bytes:
    """``strongroom/v1 `` + name + one zero byte. ``name`` is ASCII and part of the format, never computed."""
    return b"strongroom/v1 " + name.encode("ascii") + b"\0"
