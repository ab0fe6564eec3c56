"""The houses that an attacker works on, and a room on the network."""

from __future__ import annotations

from tests.client.served import between, residents, served
from tests.houses import houses, peopled

__all__ = ["between", "houses", "peopled", "residents", "served"]
