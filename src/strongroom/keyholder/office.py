"""What is not a read: charters, epoch keys, the operator's freeze and hold, status (SPEC.md sections 6, 8.2, 8.8)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from strongroom.canonical import Record
from strongroom.catalog import charter as charters
from strongroom.catalog.model import Charter
from strongroom.errors import EntryError, Refused, StrongroomError
from strongroom.gate import ask as asks
from strongroom.gate import budget
from strongroom.keyholder import checks, price, protocol
from strongroom.keyholder.inforce import InForce
from strongroom.keyholder.work import Finish, Work
from strongroom.ledger import entry, policy
from strongroom.ledger.life import HOLD_DAYS
from strongroom.seal import epoch as epochs

if TYPE_CHECKING:
    from strongroom.keyholder.core import Keyholder

_READER = re.compile(r"[0-9a-f]{32}")


def enter_charter(keyholder: Keyholder, request: protocol.EnterCharter, work: Work, now: int) -> Finish:
    """Write a charter into the ledger. It takes effect after the delay of the charter in force. Raises ``Refused`` (``charter``)."""
    document, roster = request.document.encode(), request.roster.encode()
    if not keyholder.charters and charters.charter_hash(document) != keyholder.genesis:
        # Before anything is parsed: until there is a charter anybody may send one.
        raise Refused("charter", "the first charter is not the one whose hash the keyholder was given")
    try:
        new = charters.parse(document)
        lines = charters.parse_roster(roster)
        policy.of_charter(new)
        charters.verify(document, request.signature, request.steward)
        if charters.roster_hash(roster) != new.roster:
            raise Refused("charter", "the roster is not the one whose hash stands in the charter")
        asks.readers(lines)
        if keyholder.charters:
            last, current = keyholder.charters[-1], keyholder.in_force().charter
            if charters.charter_hash(document) == last.hash:
                raise Refused("charter", "this charter is in the ledger already")
            charters.successor(last.charter, last.document, new)
            stewards, effective = current.stewards, max(now + current.delay, last.effective)
        else:
            stewards, effective = new.stewards, now
            protocol.verify_request(keyholder.room, work.path, work.body, work.signature, new.vault.message, "vault")
        if request.steward not in stewards:
            raise Refused("charter", "not signed by a steward of the charter in force")
        if new.room != keyholder.room or new.name != keyholder.keys.name:
            raise Refused("charter", "the charter is another room's")
        _own_keys(keyholder, new)
        index = keyholder.book.stage(
            entry.CharterEntry(
                v=1,
                time=now,
                document=request.document,
                effective=effective,
                signature=request.signature,
                steward=request.steward,
            )
        )
    except EntryError:
        raise Refused("charter", "the charter does not fit into an entry; make it shorter") from None
    except Refused:
        raise
    except StrongroomError as error:
        raise Refused("charter", str(error)) from None
    keyholder.store.add_charter(new.version, index, effective, document, roster)
    keyholder.charters.append(InForce(index, effective, document, roster))
    return lambda: keyholder.written(request.have, index)


def _own_keys(keyholder: Keyholder, new: Charter) -> None:
    keys, stated = keyholder.keys, new.keyholder
    mine = (
        keys.desk.public_key().public_bytes_raw(),
        keys.log.vkey,
        keys.message_public,
        keys.ml_dsa.vkey,
        keys.operator.public_key().public_bytes_raw(),
    )
    if mine != (stated.desk, stated.log, stated.message, stated.ml_dsa, stated.operator):
        raise Refused("charter", "the charter names other keys than this keyholder's")


def epoch(keyholder: Keyholder, request: protocol.Epoch, work: Work, now: int) -> Finish:
    """The public key of a holding's epoch, made when first asked for. Raises ``Refused`` (``holding``, ``epoch``)."""
    check_epoch(keyholder, request.holding, request.epoch, now)
    public = keyholder.epochs.public(request.holding, request.epoch)
    holding_id = keyholder.holding_id(request.holding)
    signature = keyholder.keys.message.sign(protocol.epoch_message(keyholder.room, holding_id, request.epoch, public))
    return lambda: protocol.EpochKey(public=public, signature=signature)


def check_epoch(keyholder: Keyholder, name: str, wanted: int, now: int, *, resealing: bool = False) -> None:
    """Whether a batch may be sealed to this epoch today. What is resealed has an expiry of its own, from a longer retention
    maybe, which bounds its epoch then. Raises ``Refused`` (``holding``, ``epoch``)."""
    holding = keyholder.charter.holdings.get(name)
    if holding is None:
        raise Refused("holding", "the charter in force has no such holding")
    # The vault's clock may be ahead by as much as a request may be.
    day = (now + checks.LATE_SECONDS) // 86400
    expires = epochs.NEVER if resealing else epochs.expiry_of(day, holding.retention)
    latest = epochs.epoch_of(day, holding.rotation, expires)
    if not now // 86400 < wanted <= latest:
        raise Refused("epoch", "the epoch is past, or later than the holding's rotation and retention allow")


def operate(keyholder: Keyholder, request: protocol.Operate, work: Work, now: int) -> Finish:
    """Freeze, thaw or hold, by the operator's key. Raises ``Refused`` (``used``, ``malformed``, ``holding``,
    ``reader``)."""
    if not keyholder.store.use_nonce(request.nonce, now):
        raise Refused("used", "this request was carried out already")
    if request.action == "hold":
        _hold(keyholder, request, now)
    else:
        _freeze(keyholder, request, now)
    return lambda: protocol.Done(done=True)


def _freeze(keyholder: Keyholder, request: protocol.Operate, now: int) -> None:
    if request.authority or request.holding or request.until:
        raise Refused("malformed", "authority, holding and until are of a hold alone")
    scope, _, name = request.scope.partition(":")
    known = {
        "room": name == "" and request.scope == "room",
        "holding": bool(name),
        "reader": _READER.fullmatch(name) is not None,
    }
    if not known.get(scope):
        raise Refused("malformed", "the scope is room, holding:NAME or reader:HEX")
    freeze = request.action == "freeze"
    # A mistyped name would be frozen in vain, and whom it was for would go on reading.
    if scope == "holding" and name not in keyholder.charter.holdings:
        raise Refused("holding", "the charter in force has no such holding")
    if freeze and scope == "reader" and bytes.fromhex(name) not in keyholder.roster:
        raise Refused("reader", "no such reader in the roster in force: see strongroom reader list")
    (keyholder.store.freeze if freeze else keyholder.store.thaw)(request.scope)
    public_scope = "reader" if scope == "reader" else request.scope
    keyholder.book.stage(entry.NoticeEntry(v=1, time=now, code="freeze" if freeze else "thaw", scope=public_scope))


def _hold(keyholder: Keyholder, request: protocol.Operate, now: int) -> None:
    """Keep the holding's keys from being destroyed until a time; one that is over already lifts the hold."""
    if request.scope:
        raise Refused("malformed", "a hold has a holding, and no scope")
    if request.holding not in keyholder.charter.holdings:
        raise Refused("holding", "the charter in force has no such holding")
    if request.until > now + HOLD_DAYS * 86400:
        raise Refused("malformed", f"a hold ends within {HOLD_DAYS} days; it can be written anew before that")
    until = max(request.until, now)
    standing = {(holding, authority) for holding, authority, _ in keyholder.store.holds(now)}
    if until == now and (request.holding, request.authority) not in standing:
        raise Refused("malformed", "no hold of this authority stands on the holding")
    item = entry.HoldEntry(v=1, time=now, authority=request.authority, holding=request.holding, until=until)
    try:
        keyholder.book.stage(item)
    except EntryError:
        raise Refused("malformed", "an authority is 1 to 200 printable characters without outer spaces") from None
    keyholder.store.hold(request.holding, request.authority, until)


def status(keyholder: Keyholder, now: int) -> Record:
    current = keyholder.in_force()
    return protocol.Status(
        charter=current.hash,
        charter_version=current.charter.version,
        checkpoint=keyholder.book.note,
        frozen=keyholder.frozen(),
        pending=[item.charter.version for item in keyholder.charters if item.effective > now],
        published=int(keyholder.store.state("published_size") or b"0"),
        time=now,
        witnessed=(keyholder.store.state("witnessed") or b"").decode(),
    )


def budgets(keyholder: Keyholder, request: protocol.Budgets, work: Work, now: int) -> Finish:
    """Debits nothing and writes nothing: the vault could have counted along. Raises ``Refused`` (``reader``, ``purpose``, ``holding``)."""
    current = keyholder.in_force()
    line, purpose = current.roster.get(request.reader), current.charter.purposes.get(request.purpose)
    if line is None:
        raise Refused("reader", "no such reader in the roster in force")
    if purpose is None:
        raise Refused("purpose", "the charter has no such purpose")
    if request.holding not in purpose.reads:
        raise Refused("holding", "the purpose is not for this holding")
    shows = bool({"find", "disclose", "check", "correct", "export"}.intersection(purpose.actions))
    found = price.shared(current.charter, request.purpose, request.holding, request.reader, line.unit, shows=shows)
    left = [
        protocol.Bucket(scope=scope, rate=str(rate), left=budget.available(rate, keyholder.budget(key), now))
        for scope, key, rate in found
    ]
    return lambda: protocol.Buckets(buckets=left, time=now)
