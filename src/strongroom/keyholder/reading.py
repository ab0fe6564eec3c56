"""An ask inside the transaction: checks, then budgets, tags, used ask and entry; the shares come after (SPEC.md section 8.4)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from strongroom.canonical import Record, encode
from strongroom.catalog.model import OTHER, UNKNOWN
from strongroom.catalog.types import kind
from strongroom.errors import Refused
from strongroom.gate import ask as asks
from strongroom.keyholder import checks, protocol
from strongroom.keyholder.case import Asking, Case
from strongroom.keyholder.price import price
from strongroom.keyholder.work import Finish, Work
from strongroom.ledger import entry, tag
from strongroom.seal import hpke, token
from strongroom.seal.columns import split

if TYPE_CHECKING:
    from strongroom.keyholder.core import Keyholder

NO_WINDOW = -1

_OPENED: dict[type, Callable[..., entry.Entry]] = {
    asks.DiscloseAsk: entry.DisclosureEntry,
    asks.CheckAsk: entry.CheckEntry,
    asks.CorrectAsk: entry.CorrectionEntry,
    asks.ExportAsk: entry.ExportEntry,
}


@dataclass(frozen=True)
class Decided:
    """An ask that was answered inside the transaction, and the index of its entry."""

    case: Case
    index: int


def ask(keyholder: Keyholder, request: Asking, work: Work, now: int) -> Finish:
    """Decide and write. Raises ``Refused``; one that is an entry is staged before it is raised."""
    decided = decide(keyholder, request, hashlib.sha256(work.body).digest(), now)
    return lambda: _give(keyholder, decided.case, work, decided.index)


def decide(keyholder: Keyholder, request: Asking, request_hash: bytes, now: int) -> Decided:
    """The same, without what is answered. ``request_hash``: of the bytes by which the identical request is known again."""
    case = Case(now, request, request_hash)
    checks.run(checks.IDENTIFY, case, keyholder)
    if isinstance(request, protocol.Refusal):
        if case.answered is None:
            case.answered = _refuse(keyholder, case, request.code, "vault", case.request_hash)
        return Decided(case, case.answered)
    try:
        checks.run(checks.DECIDE, case, keyholder)
    except Refused as refusal:
        if case.answered is None:
            _refuse(keyholder, case, refusal.code, "keyholder", b"")
        raise
    return Decided(case, case.answered if case.answered is not None else _write(keyholder, case))


def _write(keyholder: Keyholder, case: Case) -> int:
    keyholder.store.set_budgets(case.budgets)
    item = _entry(keyholder, case)
    index = keyholder.book.stage(item)
    if isinstance(item, entry.ErasureEntry):
        keyholder.store.erase(item.marks, index)
    remaining = NO_WINDOW
    if isinstance(case.ask, asks.Windowed):
        remaining = (case.ask.count if case.window is None else case.window) - price(case)
    keyholder.store.use_ask(case.ask_hash, case.request_hash, index, case.now, case.until, remaining)
    return index


def _entry(keyholder: Keyholder, case: Case) -> entry.Entry:
    request, holding = case.request, case.ask.holding
    common: dict[str, Any] = _common(keyholder, case) | {"charter": case.ask.charter, "count": price(case)}
    if isinstance(request, protocol.Intake):
        return entry.IntakeEntry(**common, tags=_number(keyholder, holding, case.whos))
    if isinstance(request, protocol.Find):
        return entry.FindEntry(**common, tags=_number(keyholder, holding, [request.inner[:16]]))
    person = keyholder.persons[holding]
    # By the fields, and not by who they name: that two of them are one person is nobody's to count.
    told = {
        (handle, person[number], who)
        for handle, number, who in zip(case.handles, case.compartments, case.whos, strict=True)
    }
    common["tags"] = _number(keyholder, holding, [who for *_, who in sorted(told)])
    if isinstance(request, protocol.Erase):
        epochs, marks = keyholder.epochs.alive(holding), keyholder.marks(holding, sorted(set(case.handles)))
        return entry.ErasureEntry(**common, epochs=epochs, marks=sorted(marks))
    return _OPENED[type(case.ask)](**common, compartments=sorted(set(case.compartments)))


def _common(keyholder: Keyholder, case: Case) -> dict[str, Any]:
    return {
        "v": 1,
        "time": case.now,
        "asker": keyholder.pseudonym(case.ask.reader, case.now),
        # The ask's own hash: it binds records, fields and nonce, and through the ask's commitment case and reason.
        "commitment": case.ask_hash,
        "countersigners": sorted(keyholder.pseudonym(reader, case.now) for reader in case.others),
        "holding": case.ask.holding,
        "purpose": case.ask.purpose,
        "role": case.line.role,
        "unit": keyholder.in_force().units.get(case.line.unit, OTHER),
    }


def _number(keyholder: Keyholder, holding: str, whos: Sequence[bytes]) -> list[bytes]:
    """The next tag of each person's chain, and another for who stands here again; sorted: their order says nothing."""
    holding_id, generation = keyholder.holding_id(holding), keyholder.generation()
    # In the order of the table, so that a page is looked for once.
    numbered = keyholder.store.next_numbers(holding_id, sorted(whos), generation)
    assert len(numbered) == len(whos)
    return sorted(tag.next_tags(keyholder.keys.tag, holding_id, generation, numbered))


def _refuse(keyholder: Keyholder, case: Case, code: str, by: Any, request: bytes) -> int:
    common, known = _common(keyholder, case), keyholder.charter
    # A name that the charter does not have is the reader's own text, and might be anything.
    if case.ask.purpose not in known.purposes:
        common["purpose"] = UNKNOWN
    if case.ask.holding not in known.holdings:
        common["holding"] = UNKNOWN
    index = keyholder.book.stage(entry.RefusalEntry(**common, charter=keyholder.charter_hash, by=by, code=code))
    keyholder.store.use_ask(case.ask_hash, request, index, case.now, case.until, NO_WINDOW)
    return index


def _give(keyholder: Keyholder, case: Case, work: Work, index: int) -> Record:
    request = case.request
    if isinstance(request, protocol.Erase | protocol.Refusal):
        return keyholder.written(request.have, index)
    receipt = keyholder.book.receipt(index)
    inner: Record
    if isinstance(request, protocol.Disclose):
        inner = protocol.Shares(receipt=receipt, shares=case.shares, whos=b"".join(case.whos))
    elif isinstance(request, protocol.Find):
        inner = protocol.Token(receipt=receipt, token=token_of(keyholder, case))
    else:
        inner = protocol.Tokens(receipt=receipt, tokens=tokens_of(keyholder, case))
    sealed = hpke.encrypt(request.fresh, protocol.answer_info(keyholder.room, work.body), encode(inner))
    return protocol.SealedAnswer(entries=keyholder.book.entries(request.have, protocol.MAX_TAIL), sealed=sealed)


def token_of(keyholder: Keyholder, case: Case) -> bytes:
    """16 bytes: what a find may look for."""
    assert isinstance(case.ask, asks.FindAsk)
    assert isinstance(case.request, protocol.Find)
    key = keyholder.index_key(case.ask.holding, case.ask.kind)
    return token.tokens(key, [case.request.inner])[0]


def tokens_of(keyholder: Keyholder, case: Case) -> list[bytes]:
    """A column (16 bytes each) for each field of an intake."""
    assert isinstance(case.request, protocol.Intake)
    holding = case.ask.holding
    declared = keyholder.charter.holdings[holding].fields
    kinds = [kind(name, declared[name]) if name else "" for name in case.request.fields]
    return [
        b"".join(token.tokens(keyholder.index_key(holding, one), split(column, 32)))
        for one, column in zip(kinds, case.request.inners, strict=True)
    ]
