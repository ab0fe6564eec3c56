"""All that is wrong with a source: what its catalog says, and whose cosignatures it wants (SPEC.md sections 6.7 and 5.9)."""

from __future__ import annotations

from strongroom.catalog.check import Finding, check
from strongroom.catalog.source import Source
from strongroom.errors import CatalogError, PolicyError
from strongroom.ledger import policy


def findings(source: Source) -> list[Finding]:
    """As ``catalog.check``, and the policy of witnesses, which the catalog cannot read."""
    found, stated = check(source), source.witnesses
    if any(one.level == "error" for one in found):
        return found
    try:
        policy.for_charter(stated.policy, strict=stated.strict)
    except PolicyError as error:
        mend = "Write it as C2SP tlog-policy says, such as: witness w VKEY https://w.example"
        return [Finding("error", source.place(("witnesses", "policy")), str(error), mend)]
    return found


def sound(source: Source) -> None:
    """Raises ``CatalogError`` for the first error, with its line and the mend."""
    for finding in findings(source):
        if finding.level == "error":
            raise CatalogError(finding.place, finding.problem, finding.mend)
