"""The keyholder's desk: it has seen who stands before it, and makes a one-time code (SPEC.md sections 2.3, 2.4, 8.7).

The identifier stays at the desk: only ``who`` and the code's hash go on to the keyholder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from strongroom.catalog import fields
from strongroom.catalog.model import Charter
from strongroom.errors import InputError, ProofError
from strongroom.ledger import tree
from strongroom.seal import person

BUCKETS = 1 << 20
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def normal_form(charter: Charter, holding: str, kind: str, value: str) -> str:
    """The identifier as it is compared. Raises ``InputError`` or ``ValueRejected``."""
    found = charter.holdings.get(holding)
    if found is None:
        raise InputError(f"the charter has no holding {holding}; it has: {', '.join(sorted(charter.holdings))}")
    for name, field in found.fields.items():
        if field.identifier != "none" and fields.kind(name, field) == kind:
            parsed = fields.parse(field, value)
            if parsed is None:
                raise InputError("the identifier is empty")
            return fields.normal(field, parsed)
    kinds = sorted({fields.kind(name, field) for name, field in found.fields.items() if field.identifier != "none"})
    raise InputError(f"{holding} has no identifier of kind {kind}; it has: {', '.join(kinds)}")


def who(charter: Charter, holding: str, kind: str, nf: str, bucket_key: bytes, proof: Sequence[bytes]) -> bytes:
    """Recompute ``who`` without trusting the vault. Raises ``ProofError`` when the bucket key is not the charter's."""
    root = charter.buckets.get(holding, {}).get(kind)
    if root is None:
        raise InputError(f"the charter has no bucket root for {holding} and {kind}")
    leaf = tree.leaf_hash(hashlib.sha256(bucket_key).digest())
    try:
        tree.verify_inclusion(person.bucket(kind, nf), BUCKETS, leaf, proof, root)
    except ProofError:
        raise ProofError("the bucket key that the vault gave is not the one its charter committed to") from None
    return person.inner(bucket_key, nf)[:16]


def new_code(random: Callable[[int], bytes]) -> str:
    """Ten characters of Crockford base32: 50 bits, to be read out at the desk."""
    return "".join(_ALPHABET[byte % 32] for byte in random(10))


def clean_code(text: str) -> str:
    """What a person typed: case, spaces and hyphens do not matter, and O, I, L are what they look like."""
    return text.upper().replace("-", "").replace(" ", "").translate(str.maketrans("OIL", "011"))
