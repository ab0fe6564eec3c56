"""An ask inside the transaction: checks, then budgets, tags, used ask and entry; the shares come after (SPEC.md section 8.4)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from strongroom.canonical import Record, encode
from strongroom.catalog.model import OTHER, UNKNOWN
from strongroom.errors import Refused
from strongroom.gate import ask as asks
from strongroom.keyholder import checks, protocol
from strongroom.keyholder.work import Finish, Work
from strongroom.ledger import entry, tag
from strongroom.seal import hpke, token
from strongroom.seal.columns import split

if TYPE_CHECKING:
    from strongroom.keyholder.core import Keyholder

# For how long after its time an ask is remembered as used: longer than any check of its age lets it pass.
_REMEMBER_SECONDS = 600

NO_WINDOW = -1


def ask(
    keyholder: Keyholder,
    request: protocol.Disclose | protocol.Find | protocol.Intake | protocol.Refusal,
    work: Work,
    now: int,
) -> Finish:
    """Decide and write. Raises ``Refused``; one that is an entry is staged before it is raised."""
    case = checks.Case(now, request, hashlib.sha256(work.body).digest())
    checks.run(checks.IDENTIFY, case, keyholder)
    if isinstance(request, protocol.Refusal):
        if case.answered is None:
            case.answered = _refuse(keyholder, case, request.code, "vault", case.request_hash)
        index = case.answered
        return lambda: keyholder.written(request.have, index)
    try:
        checks.run(checks.DECIDE, case, keyholder)
    except Refused as refusal:
        if case.answered is None:
            _refuse(keyholder, case, refusal.code, "keyholder", b"")
        raise
    found = case.answered if case.answered is not None else _write(keyholder, case)
    return lambda: _give(keyholder, case, work, found)


def _write(keyholder: Keyholder, case: checks.Case) -> int:
    keyholder.store.set_budgets(case.budgets)
    index = keyholder.book.stage(_entry(keyholder, case))
    remaining = NO_WINDOW
    if isinstance(case.ask, asks.IntakeAsk):
        remaining = (case.ask.count if case.window is None else case.window) - checks.price(case)
    keyholder.store.use_ask(case.ask_hash, case.request_hash, index, case.now, _until(case.ask), remaining)
    return index


def _until(ask: asks.Ask) -> int:
    """Until when the ask must be remembered: as long as any check of its age could let it pass again."""
    known = ask.time + _REMEMBER_SECONDS
    return max(known, ask.until) if isinstance(ask, asks.IntakeAsk) else known


def _entry(keyholder: Keyholder, case: checks.Case) -> entry.Entry:
    request, holding = case.request, case.ask.holding
    common: dict[str, Any] = _common(keyholder, case) | {"charter": case.ask.charter, "count": checks.price(case)}
    if isinstance(request, protocol.Intake):
        return entry.IntakeEntry(**common)
    if isinstance(request, protocol.Find):
        return entry.FindEntry(**common, tags=_number(keyholder, holding, [request.inner[:16]]))
    about = sorted(set(zip(case.handles, case.whos, strict=True)))
    tags = _number(keyholder, holding, [who for _, who in about])
    return entry.DisclosureEntry(**common, compartments=sorted(set(case.compartments)), tags=tags)


def _common(keyholder: Keyholder, case: checks.Case) -> dict[str, Any]:
    return {
        "v": 1,
        "time": case.now,
        "asker": tag.asker(keyholder.keys.asker, case.ask.reader, case.now),
        # The ask's own hash: it binds records, fields and nonce, and through the ask's commitment case and reason.
        "commitment": case.ask_hash,
        "holding": case.ask.holding,
        "purpose": case.ask.purpose,
        "role": case.line.role,
        "unit": keyholder.in_force().units.get(case.line.unit, OTHER),
    }


def _number(keyholder: Keyholder, holding: str, whos: Sequence[bytes]) -> list[bytes]:
    """The next tag of each person's chain, sorted: their order says nothing."""
    holding_id, generation = keyholder.holding_id(holding), keyholder.generation()
    tags = []
    for who in whos:
        number = keyholder.store.next_number(holding_id, who, generation)
        tags.append(tag.tag(tag.chain_key(keyholder.keys.tag, holding_id, who, generation), number))
    return sorted(tags)


def _refuse(keyholder: Keyholder, case: checks.Case, code: str, by: Any, request: bytes) -> int:
    common, known = _common(keyholder, case), keyholder.charter
    # A name that the charter does not have is the reader's own text, and might be anything.
    if case.ask.purpose not in known.purposes:
        common["purpose"] = UNKNOWN
    if case.ask.holding not in known.holdings:
        common["holding"] = UNKNOWN
    index = keyholder.book.stage(entry.RefusalEntry(**common, charter=keyholder.charter_hash, by=by, code=code))
    keyholder.store.use_ask(case.ask_hash, request, index, case.now, _until(case.ask), NO_WINDOW)
    return index


def _give(keyholder: Keyholder, case: checks.Case, work: Work, index: int) -> Record:
    request, holding, receipt = case.request, case.ask.holding, keyholder.book.receipt(index)
    inner: Record
    if isinstance(request, protocol.Disclose):
        inner = protocol.Shares(receipt=receipt, shares=case.shares, whos=b"".join(case.whos))
    elif isinstance(request, protocol.Find):
        assert isinstance(case.ask, asks.FindAsk)
        key = keyholder.index_key(holding, case.ask.kind)
        inner = protocol.Token(receipt=receipt, token=token.tokens(key, [request.inner])[0])
    else:
        assert isinstance(request, protocol.Intake)
        columns = [
            b"".join(token.tokens(keyholder.index_key(holding, kind), split(column, 32)))
            for kind, column in zip(request.kinds, request.inners, strict=True)
        ]
        inner = protocol.Tokens(receipt=receipt, tokens=columns)
    sealed = hpke.encrypt(request.fresh, protocol.answer_info(keyholder.room, work.body), encode(inner))
    return protocol.SealedAnswer(entries=keyholder.book.entries(request.have, protocol.MAX_TAIL), sealed=sealed)
