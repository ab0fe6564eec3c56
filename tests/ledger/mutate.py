"""Texts that are nearly another one."""

from __future__ import annotations

from hypothesis import strategies as st

PIECES = ["", "\n", " ", "=", "+", "0", "A", "\0", "\r\n", "—", "é", "-"]


@st.composite
def mutations(draw: st.DrawFn, text: str) -> str:
    """``text`` with a piece of it removed, doubled or replaced, once to three times; never ``text`` itself."""
    found = text
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(found)))
        end = draw(st.integers(start, min(len(found), start + 5)))
        piece = draw(st.one_of(st.sampled_from(PIECES), st.just(found[start:end] * 2), st.text(max_size=3)))
        found = found[:start] + piece + found[end:]
    return found if found != text else found + "\n"
