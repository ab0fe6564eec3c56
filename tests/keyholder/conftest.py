"""The houses that an attacker works on."""

from __future__ import annotations

from tests.houses import houses, peopled
from tests.keyholder.served import served

__all__ = ["houses", "peopled", "served"]
