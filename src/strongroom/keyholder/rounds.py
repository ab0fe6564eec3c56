"""What the keyholder does of its own accord: start, heartbeats, expiry, publishing (SPEC.md sections 5.4 and 8.9).

A keyholder that has just started may have been restored from an old copy, and does not know it. The first entry it wrote would stand
where the vault's mirror has another one, and no recovery could mend that. So it is quiet at first: it writes nothing of its own accord
until a request of the vault has shown that its mirror is not ahead, or until it has waited long enough for one.

A key is destroyed for good, so that this clock alone does not decide that its day has come: a request of the vault must have been
dated alike.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from strongroom.errors import StoreError
from strongroom.keyholder import expiry
from strongroom.ledger import entry

if TYPE_CHECKING:
    from strongroom.keyholder.core import Keyholder

QUIET_SECONDS = 300
FOREVER = 2**53
"""A keyholder recovered from what is published knows that there may be more, and waits for the vault."""

AGREED_SECONDS = 86400
"""For how long the vault's word on what time it is lets keys be destroyed."""

_FORGET_BUDGETS_SECONDS = 3600
_LOG_SECONDS = 3600

log = logging.getLogger("strongroom.keyholder")


def started(keyholder: Keyholder) -> None:
    """Begin. The mark that it was started is left with the first entry: an unexpected one is a thing to ask about.

    Raises ``StoreError`` when this book is behind what it has published: a fork would be signed with the next entry.
    """
    keyholder.book.check_published(keyholder.public)
    now = keyholder.now()
    if keyholder.book.size and keyholder.quiet is None:
        keyholder.quiet = now + QUIET_SECONDS
    # Neither of which is an entry.
    expiry.adopt(keyholder)
    expiry.sweep(keyholder)


def heard(keyholder: Keyholder, now: int) -> None:
    """The vault has shown that its mirror is not ahead; within a transaction."""
    if keyholder.quiet is None:
        return
    if keyholder.store.state("recovering"):
        begin_generation(keyholder, now)
    keyholder.book.stage(entry.NoticeEntry(v=1, time=now, code="start", scope=""))
    keyholder.quiet = None


def spoken_to(keyholder: Keyholder, now: int) -> None:
    """The operator wants an entry, and has not to wait for the vault; within a transaction. Raises ``StoreError``."""
    if keyholder.quiet == FOREVER:
        raise StoreError(
            "this keyholder was recovered from a published ledger, and waits for the vault to say that it has no more."
            " Have the custodian run: strongroom status"
        )
    heard(keyholder, now)


def begin_generation(keyholder: Keyholder, now: int) -> None:
    """Count every person's reads from 1 in chains of their own from here on, and say so; within a transaction."""
    keyholder.store.set_state("generation", str(keyholder.generation() + 1).encode())
    keyholder.store.drop_state("recovering")
    keyholder.book.stage(entry.NoticeEntry(v=1, time=now, code="generation", scope=""))
    if keyholder.store.state("refreeze"):
        # A reader was frozen in the time that was lost, and the book does not say which: nobody reads until the operator has
        # frozen that one again, and thawed the room.
        keyholder.store.drop_state("refreeze")
        keyholder.store.freeze("room")
        keyholder.book.stage(entry.NoticeEntry(v=1, time=now, code="freeze", scope="room"))


def tick(keyholder: Keyholder) -> None:
    """Every few seconds: a heartbeat entry when one is due, the end of keys whose day has come, publishing.

    Raises ``Refused`` (``clock``), ``StoreError`` for a key that could not be destroyed; the rest is done all the same.
    """
    now = keyholder.now()
    keyholder.set_time(now)
    if not any(item.effective <= now for item in keyholder.charters):
        return
    with keyholder.writing():
        if keyholder.quiet is not None and now >= keyholder.quiet:
            heard(keyholder, now)
        due = int(keyholder.store.state("heartbeat") or b"0") + keyholder.charter.heartbeat
        if now >= due and keyholder.quiet is None:
            keyholder.book.stage(entry.HeartbeatEntry(v=1, time=now))
            keyholder.store.set_state("heartbeat", str(now).encode())
        # Not with the heartbeat: that may be years apart, and the tables would grow all the while.
        keyholder.store.forget(now)
        if now >= keyholder.budgets_forgotten + _FORGET_BUDGETS_SECONDS:
            keyholder.store.forget_budgets(now)
            keyholder.budgets_forgotten = now
    try:
        if keyholder.quiet is None:
            _expire(keyholder, now)
    finally:
        keyholder.publish(now)


def _expire(keyholder: Keyholder, now: int) -> None:
    """Raises ``StoreError``, as ``expiry.expire``."""
    if keyholder.agreed is not None and now - keyholder.agreed <= AGREED_SECONDS:
        expiry.expire(keyholder, now)
        return
    # What the book says is destroyed is so in any case.
    expiry.adopt(keyholder)
    due = expiry.due(keyholder, now)
    if due and now >= keyholder.waiting_logged + _LOG_SECONDS:
        keyholder.waiting_logged = now
        log.warning(
            "%d keys are past their day by this clock, and wait for a request of the vault that is dated alike."
            " Have the custodian run: strongroom status",
            len(due),
        )
    expiry.sweep(keyholder)
