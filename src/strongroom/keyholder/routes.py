"""Which path is signed by whom and handled where (SPEC.md section 8): one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from strongroom.errors import Refused, StoreError
from strongroom.keyholder import checks, life, office, protocol, reading, rounds, subjects, together
from strongroom.keyholder.work import Finish, Work
from strongroom.ledger import note

if TYPE_CHECKING:
    from strongroom.keyholder.core import Keyholder

# A handler knows its request's type by the path; the codec of that path has made it.
Before = Callable[["Keyholder", Work], None]
After = Callable[["Keyholder", Any, Work, int], None]
Handler = Callable[["Keyholder", Any, Work, int], Finish]


@dataclass(frozen=True)
class Route:
    """``before``: whose signature is wanted, over bytes not looked at yet. ``after``: what else must hold of the request.
    ``most``: bytes of its body; small where anybody's key may sign."""

    before: Before
    after: After
    handler: Handler
    most: int = protocol.MAX_BODY


def _vault(keyholder: Keyholder, work: Work) -> None:
    _verify(keyholder, work, keyholder.charter.vault.message, "vault")


def _vault_or_first(keyholder: Keyholder, work: Work) -> None:
    # The first charter names the vault's key itself, so its handler verifies.
    if keyholder.charters:
        _vault(keyholder, work)


def _desk(keyholder: Keyholder, work: Work) -> None:
    _verify(keyholder, work, keyholder.charter.keyholder.desk, "desk")


def _operator(keyholder: Keyholder, work: Work) -> None:
    _verify(keyholder, work, keyholder.charter.keyholder.operator, "operator")


def _anyone(keyholder: Keyholder, work: Work) -> None:
    # A subject's request names the device's key itself.
    return


def _common(keyholder: Keyholder, request: Any, work: Work, now: int) -> None:
    if request.have > keyholder.book.size:
        # Tags and asks of the lost part would be given a second time. The vault's word costs only the vault.
        raise StoreError(
            f"the vault holds {request.have} entries and this book {keyholder.book.size}: it was restored from an old copy."
            " Have its operator run: strongroom keyholder recover"
        )
    if request.root != keyholder.book.root(request.have):
        raise StoreError(
            f"the vault's first {request.have} entries are not this book's: one of the two was restored from an old copy"
        )
    if request.cosignature and keyholder.charters:
        keyholder.book.cosigned(request.cosignature, note.verifier(keyholder.charter.vault.cosigner), request.have)
    if keyholder.charters and abs(request.time - now) <= checks.LATE_SECONDS:
        keyholder.agreed = now
    rounds.heard(keyholder, now)


def _recent(keyholder: Keyholder, request: Any, work: Work, now: int) -> None:
    if abs(request.time - now) > checks.LATE_SECONDS:
        raise Refused("stale", "the request's time is too far from the ledger's")
    if request.time < keyholder.recovered:
        # It may have been carried out in the time of which the book knows no requests.
        raise Refused("stale", "the request is from before the keyholder's recovery; send a new one")


def _operator_after(keyholder: Keyholder, request: protocol.Operate, work: Work, now: int) -> None:
    _recent(keyholder, request, work, now)
    rounds.spoken_to(keyholder, now)


def _recent_common(keyholder: Keyholder, request: Any, work: Work, now: int) -> None:
    # A request with an ask is as old as its ask; these have nothing else to be dated by.
    _recent(keyholder, request, work, now)
    _common(keyholder, request, work, now)


def _device(keyholder: Keyholder, request: protocol.Enrol | protocol.Reads, work: Work, now: int) -> None:
    _verify(keyholder, work, request.device, "device")
    _recent(keyholder, request, work, now)


def _verify(keyholder: Keyholder, work: Work, key: bytes, code: str) -> None:
    protocol.verify_request(keyholder.room, work.path, work.body, work.signature, key, code)


def _entries(keyholder: Keyholder, request: protocol.Entries, work: Work, now: int) -> Finish:
    return lambda: protocol.Tail(
        checkpoint=keyholder.book.note, entries=keyholder.book.entries(request.start, request.limit)
    )


def _publish(keyholder: Keyholder, request: protocol.Plain, work: Work, now: int) -> Finish:
    return lambda: protocol.Published(checkpoint=keyholder.publish(now))


def _cosign(keyholder: Keyholder, request: protocol.Plain, work: Work, now: int) -> Finish:
    def finish() -> protocol.Published:
        keyholder.book.write_notes(keyholder.public)
        return protocol.Published(checkpoint=keyholder.book.published())

    return finish


def _status(keyholder: Keyholder, request: protocol.Plain, work: Work, now: int) -> Finish:
    return lambda: office.status(keyholder, now)


_SMALL = 16 * 2**10

ROUTES: dict[str, Route] = {
    "/v1/disclose": Route(_vault, _common, reading.ask),
    "/v1/erase": Route(_vault, _common, reading.ask),
    "/v1/find": Route(_vault, _common, reading.ask),
    "/v1/intake": Route(_vault, _common, reading.ask),
    "/v1/refusal": Route(_vault, _common, reading.ask),
    "/v1/together": Route(_vault, _common, together.together),
    "/v1/charter": Route(_vault_or_first, _recent_common, office.enter_charter),
    "/v1/epoch": Route(_vault, _recent_common, office.epoch),
    "/v1/supersede": Route(_vault, _recent_common, life.supersede),
    "/v1/reseal": Route(_vault, _recent_common, life.reseal),
    "/v1/held": Route(_vault, _recent_common, life.held),
    "/v1/certify": Route(_vault, _recent_common, life.certify),
    "/v1/entries": Route(_vault, _recent_common, _entries),
    "/v1/budgets": Route(_vault, _recent_common, office.budgets),
    "/v1/cosign": Route(_vault, _recent_common, _cosign),
    "/v1/publish": Route(_vault, _recent_common, _publish),
    "/v1/status": Route(_vault, _recent_common, _status),
    "/v1/desk/admit": Route(_desk, _recent, subjects.admit, _SMALL),
    "/v1/subject/enrol": Route(_anyone, _device, subjects.enrol, _SMALL),
    "/v1/subject/reads": Route(_anyone, _device, subjects.reads, _SMALL),
    "/v1/operator": Route(_operator, _operator_after, office.operate),
}
assert ROUTES.keys() == protocol.REQUESTS.keys()

GIVES = frozenset({"/v1/disclose", "/v1/find", "/v1/intake", "/v1/together"})
"""Whose answers hold shares or tokens: in a strict room they wait for witnesses (SPEC.md 5.9)."""
