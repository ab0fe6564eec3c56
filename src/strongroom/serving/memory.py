"""How a server's memory is looked through for what nobody holds any more."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["seldom_collected"]

_YOUNG = 5000


@contextmanager
def seldom_collected() -> Iterator[None]:
    """What is there now stays to the end and is never looked at; what is new, only when it has become a few thousand things.

    A read of 100 records makes a thousand, and none of them in a circle: with Python's own 700, and with every module and charter
    looked at again, the collector took a tenth of a server's processor, in pauses of 40 ms.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
