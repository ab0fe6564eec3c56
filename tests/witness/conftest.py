"""The houses, and their ledger's witnesses."""

from __future__ import annotations

from tests.houses import houses, peopled

__all__ = ["houses", "peopled"]
