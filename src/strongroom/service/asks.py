"""Signed asks as they come over the wire (SPEC.md section 10.1): evidence in, what custody works with out."""

from __future__ import annotations

from strongroom.client.device import SignedAsk
from strongroom.errors import Refused
from strongroom.gate import ask as asks


def signed(evidence: asks.Evidence, kind: type[asks.Ask]) -> SignedAsk:
    """The ask of ``kind`` that ``evidence`` holds; nothing is verified yet but its form. Raises ``Refused`` (``ask``)."""
    text = evidence.ask.encode("utf-8", "surrogatepass")
    ask = asks.parse(text)
    if not isinstance(ask, kind):
        raise Refused("ask", f"the ask is of another action; want {kind.__struct_config__.tag}")
    private = asks.parse_private(evidence.private.encode("utf-8", "surrogatepass"))
    if private.reader != ask.reader or private.commitment() != ask.commitment:
        raise Refused("ask", "case and reason are not those that the ask commits to")
    return SignedAsk(ask, text, evidence.signature, private, tuple(evidence.countersignatures))
