from __future__ import annotations

from tests.houses import peopled as peopled  # noqa: PLC0414 - a fixture
