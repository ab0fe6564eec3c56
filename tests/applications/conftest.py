"""A room on the network, and people in it."""

from __future__ import annotations

from tests.client.served import residents, served

__all__ = ["residents", "served"]
