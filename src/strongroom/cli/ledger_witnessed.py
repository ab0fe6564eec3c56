"""Who outside the room has cosigned a ledger: lines of ``strongroom ledger verify`` and ``strongroom status`` (SPEC.md section 5.9)."""

from __future__ import annotations

import argparse
from pathlib import Path

from strongroom.catalog.model import Charter
from strongroom.cli.output import BAD, GOOD, WARN, moment
from strongroom.cli.rendering import Cell
from strongroom.errors import InputError, LedgerError, QuorumError, of_system
from strongroom.ledger import policy as policies
from strongroom.ledger import witnessed
from strongroom.ledger.audit import Audit
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.note import verifier
from strongroom.ledger.policy import NONE, Policy
from strongroom.ledger.witnessed import Witnessed


def add(found: argparse.ArgumentParser) -> None:
    found.add_argument(
        "--witnessed",
        action="store_true",
        help="fail unless a quorum of witnesses has cosigned it, within the time that the charter gives",
    )
    found.add_argument(
        "--policy",
        metavar="FILE",
        type=Path,
        help="whose cosignatures to want, as a C2SP tlog-policy, instead of the charter's; wants --witnessed too",
    )


def own(path: Path | None) -> Policy | None:
    """The policy that somebody brings along. Raises ``InputError``, ``PolicyError``."""
    if path is None:
        return None
    try:
        return policies.parse(path.read_bytes())
    except OSError as error:
        raise InputError(of_system(error, path)) from None


def verify(found: Audit, now: int) -> None:
    """Raises ``QuorumError``, and where a policy names logs, and none of them is this one."""
    logs = [one.verifier for one in found.policy.logs]
    if logs and not any(one in logs for one in found.signers):
        raise QuorumError("the policy is about other logs than this one")
    found.quorum(now)


def rows(found: Audit, now: int) -> list[tuple[str, Cell]]:
    """Nothing where nobody is named."""
    if not found.policy.witnesses:
        return []
    try:
        since = found.quorum(now)
        all_of_it = "all of it" if found.witnessed.size == found.size else f"the first {found.witnessed.size:,}"
        when = "" if found.policy.quorum == NONE else f", {moment(since)} UTC"
        first: Cell = f"by a quorum, {all_of_it}{when}"
    except QuorumError as error:
        first = (f"not enough: {error}", BAD)
    return [("witnessed", first), *[("", one) for one in _each(found.policy, found.witnessed)]]


def _each(policy: Policy, seen: Witnessed) -> list[Cell]:
    said: list[Cell] = []
    for one in policy.witnesses:
        time = seen.times.get(one.verifier)
        kind = {4: "Ed25519", 6: "ML-DSA-44"}[one.verifier.type]
        name = f"{one.verifier.name}  {kind}"
        said.append((f"{name}  has not", WARN) if time is None else f"{name}  {moment(time)} UTC")
    return said


def _seen(charter: Charter, text: str) -> Witnessed:
    """What the keyholder says that a quorum has cosigned last, verified. Raises ``LedgerError``."""
    log = verifier(charter.keyholder.log)
    if not text:
        return Witnessed(Checkpoint(log.name, 0, bytes(32)), {})
    return witnessed.opened(text, [log], policies.of_charter(charter))


def status(charter: Charter, text: str, now: int) -> list[tuple[str, Cell]]:
    """For who runs the room; ``text`` is what the keyholder says (SPEC.md 8.2)."""
    policy = policies.of_charter(charter)
    if not policy.witnesses:
        return []
    try:
        seen = _seen(charter, text)
    except LedgerError as error:
        return [("witnesses", (f"what the keyholder shows is no cosigned checkpoint: {error}", BAD))]
    try:
        since = witnessed.verify(seen, policy, charter.witnesses.fresh, now)
        ago = "" if policy.quorum == NONE else f", {max(0, now - since):,} s ago"
        first: Cell = (f"a quorum has cosigned {seen.size:,} entries{ago}", GOOD)
    except QuorumError as error:
        first = (str(error), BAD)
    return [("witnesses", first), *[("", one) for one in _each(policy, seen)]]


def seen_document(charter: Charter, text: str, now: int) -> dict[str, object] | None:
    """The same for programs; None where the charter names nobody."""
    policy = policies.of_charter(charter)
    if not policy.witnesses:
        return None
    return document(policy, _seen(charter, text), charter.witnesses.fresh, now)


def document(policy: Policy, seen: Witnessed, fresh: int, now: int) -> dict[str, object]:
    try:
        since: int | None = witnessed.verify(seen, policy, fresh, now) if policy.quorum != NONE else None
        short = ""
    except QuorumError as error:
        since, short = None, str(error)
    return {
        "cosigners": {one.verifier.vkey: seen.times.get(one.verifier) for one in policy.witnesses},
        "quorum": not short,
        "reason": short or None,
        "since": since,
        "size": seen.size,
    }
