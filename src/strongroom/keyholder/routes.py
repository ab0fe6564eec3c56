"""Which path is signed by whom and handled where (SPEC.md section 8): one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from strongroom.errors import Refused
from strongroom.keyholder import checks, office, protocol, reading, subjects
from strongroom.keyholder.work import Finish, Work
from strongroom.ledger import note

if TYPE_CHECKING:
    from strongroom.keyholder.core import Keyholder

# A handler knows its request's type by the path; the codec of that path has made it.
Signer = Callable[["Keyholder", Any, Work, int], None]
Handler = Callable[["Keyholder", Any, Work, int], Finish]


def _vault(keyholder: Keyholder, request: Any, work: Work, now: int) -> None:
    _verify(work, keyholder.charter.vault.message, "vault")
    if request.cosignature:
        verifier = note.verifier(keyholder.charter.vault.cosigner)
        keyholder.book.cosigned(request.cosignature, verifier, keyholder.public)


def _desk(keyholder: Keyholder, request: protocol.Admit, work: Work, now: int) -> None:
    _verify(work, keyholder.charter.keyholder.desk, "desk")


def _operator(keyholder: Keyholder, request: protocol.Operate, work: Work, now: int) -> None:
    _verify(work, keyholder.charter.keyholder.operator, "operator")


def _device(keyholder: Keyholder, request: protocol.Enrol | protocol.Reads, work: Work, now: int) -> None:
    _verify(work, request.device, "device")
    if abs(request.time - now) > checks.LATE_SECONDS:
        raise Refused("stale", "the request's time is too far from the ledger's")


def _new_charter(keyholder: Keyholder, request: protocol.EnterCharter, work: Work, now: int) -> None:
    # The first charter names the vault's key itself, so its handler verifies.
    return


def _verify(work: Work, key: bytes, code: str) -> None:
    protocol.verify_request(work.path, work.body, work.signature, key, code)


def _entries(keyholder: Keyholder, request: protocol.Entries, work: Work, now: int) -> Finish:
    return lambda: protocol.Tail(
        checkpoint=keyholder.book.note, entries=keyholder.book.entries(request.start, request.limit)
    )


def _publish(keyholder: Keyholder, request: protocol.Plain, work: Work, now: int) -> Finish:
    return lambda: protocol.Published(checkpoint=keyholder.publish(now))


def _cosign(keyholder: Keyholder, request: protocol.Plain, work: Work, now: int) -> Finish:
    return lambda: protocol.Published(checkpoint=keyholder.book.published())


def _status(keyholder: Keyholder, request: protocol.Plain, work: Work, now: int) -> Finish:
    return lambda: office.status(keyholder, now)


ROUTES: dict[str, tuple[Signer, Handler]] = {
    "/v1/disclose": (_vault, reading.ask),
    "/v1/find": (_vault, reading.ask),
    "/v1/intake": (_vault, reading.ask),
    "/v1/refusal": (_vault, reading.ask),
    "/v1/charter": (_new_charter, office.enter_charter),
    "/v1/epoch": (_vault, office.epoch),
    "/v1/entries": (_vault, _entries),
    "/v1/cosign": (_vault, _cosign),
    "/v1/publish": (_vault, _publish),
    "/v1/status": (_vault, _status),
    "/v1/desk/admit": (_desk, subjects.admit),
    "/v1/subject/enrol": (_device, subjects.enrol),
    "/v1/subject/reads": (_device, subjects.reads),
    "/v1/operator": (_operator, office.operate),
}
assert ROUTES.keys() == protocol.REQUESTS.keys()
