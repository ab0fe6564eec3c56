"""What a test expects: one code of those that are stable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from strongroom.service.identity.caller import IdentityRefused


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(IdentityRefused) as found:
        yield
    assert found.value.code == code, found.value
