"""One bucket key of a million, with its proof against the charter (SPEC.md 2.3, 2.4)."""

from __future__ import annotations

from hashlib import sha256

import pytest
from tests.houses import Houses

from strongroom.custody import buckets
from strongroom.errors import InputError
from strongroom.ledger import tree
from strongroom.seal import person


def test_a_bucket_key_proves_itself_against_the_root(houses: Houses) -> None:
    room = houses.town.room
    keys = room.keys.holding("residents")
    root = room.rules().charter.buckets["residents"]["phone"]
    for j in (0, (1 << 20) - 1):
        given = buckets.bucket_key(room, "residents", "phone", j)
        assert given.key == person.bucket_key(keys.person("phone"), j)
        assert len(given.proof) == 20
        tree.verify_inclusion(j, 1 << 20, tree.leaf_hash(sha256(given.key).digest()), given.proof, root)
        assert repr(given.key) not in repr(given)
    for holding, kind in (("patients", "phone"), ("residents", "email")):
        with pytest.raises(InputError, match="no identifier"):
            buckets.bucket_key(room, holding, kind, 0)
