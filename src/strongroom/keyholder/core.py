"""The second lock: no key without a receipt (SPEC.md section 8).

``Keyholder.commit`` takes all requests that arrived meanwhile, decides each in order, and writes budgets, tags, used asks and entries
of all of them in ONE transaction. Only after that commit is a checkpoint signed and a share handed out; a request that fails leaves no
trace but its refusal. Everything runs in one thread: the order of commits is the order of the ledger.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import time as clocks
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from strongroom.canonical import Record, encode
from strongroom.catalog.model import Charter, RosterLine
from strongroom.errors import FormatError, Refused, SealError, StrongroomError
from strongroom.gate import ask as asks
from strongroom.gate import permit
from strongroom.keyholder import checks, office, protocol, subjects
from strongroom.keyholder.book import Book
from strongroom.keyholder.clock import Clock
from strongroom.keyholder.inforce import InForce
from strongroom.keyholder.keys import EpochKeys, Keys
from strongroom.keyholder.store import Store
from strongroom.ledger import entry, note, tag
from strongroom.seal import batch, hpke, ids, token
from strongroom.seal.label import label


@dataclass
class Work:
    """A request as it came: path, header and body."""

    path: str
    signature: bytes
    body: bytes


@dataclass
class Outcome:
    """What a request came to inside the transaction; ``finish`` makes the answer once it is durable."""

    finish: Callable[[], Record]


def _finish(outcome: Outcome) -> Record | StrongroomError:
    try:
        return outcome.finish()
    except StrongroomError as error:
        # One answer that cannot be sealed (a key of small order) must not take the others of its group along.
        return error


class Keyholder:
    """The keyholder's decisions over its store. Not for several threads.

    ``genesis`` is the hash of the first charter, brought by ceremony; any other first charter is refused.
    """

    def __init__(
        self,
        store: Store,
        keys: Keys,
        epochs: EpochKeys,
        genesis: bytes,
        public: Path,
        clock: Clock | None = None,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.store, self.keys, self.epochs, self.genesis, self.public = store, keys, epochs, genesis, public
        self.clock, self.random = clock or Clock(), random
        self.book = Book(store, keys)
        self.charters = [InForce(*row) for row in store.charters()]
        self._secrets: dict[bytes, bytes] = {}
        self._index_keys: dict[tuple[str, str], bytes] = {}
        self.wrong_codes: list[int] = []
        # Facts of the transaction at hand (checks.Facts).
        self.room = keys.room
        self._id = ids.keyholder_id(keys.message_public)
        self._current: InForce | None = None
        self._holding_ids: dict[str, bytes] = {}

    # --- facts ---------------------------------------------------------------------------------------------------
    @property
    def charter(self) -> Charter:
        return self.in_force().charter

    @property
    def charter_hash(self) -> bytes:
        return self.in_force().hash

    @property
    def roster(self) -> dict[bytes, RosterLine]:
        return self.in_force().roster

    def in_force(self) -> InForce:
        if self._current is None:
            raise Refused("charter", "no charter is in force yet")
        return self._current

    def _set_time(self, now: int) -> None:
        effective = [item for item in self.charters if item.effective <= now]
        self._current = effective[-1] if effective else None

    def used(self, ask_hash: bytes) -> tuple[bytes, int, int, int, int] | None:
        return self.store.ask(ask_hash)

    def frozen(self) -> list[str]:
        return self.store.freezes()

    def erased(self, holding: str, handles: list[bytes]) -> bool:
        return self.store.erased(self.holding_id(holding), handles)

    def budget(self, key: str) -> tuple[int, int] | None:
        return self.store.budget(key)

    def secret(self, holding: str, epoch: int, sealed: bytes) -> bytes:
        """Open a batch secret, or remember it: one hybrid decapsulation a batch. Raises ``Refused`` (``epoch``, ``batch``)."""
        private = self.epochs.get(holding, epoch)
        if private is None:
            raise Refused("epoch", "there is no key for this holding and epoch")
        # The cache key holds holding and epoch: a secret opened under one is never served under another.
        key = hashlib.sha256(self.holding_id(holding) + epoch.to_bytes(4, "big") + sealed).digest()
        found = self._secrets.get(key)
        if found is None:
            try:
                found = batch.open_batch_secret(
                    private, self.room, self._id, self.holding_id(holding), epoch, sealed
                )
            except SealError as error:
                raise Refused("batch", str(error)) from None
            if len(self._secrets) >= 100_000:
                self._secrets.clear()
            self._secrets[key] = found
        return found

    def holding_id(self, name: str) -> bytes:
        found = self._holding_ids.get(name)
        if found is None:
            found = self._holding_ids[name] = ids.holding_id(self.room, name)
        return found

    def now(self) -> int:
        return self.clock.now(self.book.time)

    # --- the transaction -------------------------------------------------------------------------------------------
    def commit(self, works: Sequence[Work]) -> list[Record | StrongroomError]:
        """Decide, write and answer. One answer or error a request, in order."""
        try:
            now = self.now()
        except Refused as refusal:
            return [refusal for _ in works]
        outcomes: list[Outcome | StrongroomError] = []
        try:
            with self.store.transaction():
                for work in works:
                    self._set_time(now)
                    try:
                        outcomes.append(self._decide(work, now))
                    except (Refused, FormatError) as error:
                        outcomes.append(error)
                written = self.book.size
                self.book.flush(now)
        except BaseException:
            self.charters = [InForce(*row) for row in self.store.charters()]
            self.book.reset()
            raise
        if self.book.size != written:
            self.book.sign()
        return [_finish(outcome) if isinstance(outcome, Outcome) else outcome for outcome in outcomes]

    def ask(self, path: str, signature: bytes, body: bytes) -> Record:
        """One request on its own. Raises what it was refused for."""
        answer = self.commit([Work(path, signature, body)])[0]
        if isinstance(answer, StrongroomError):
            raise answer
        return answer

    def _decide(self, work: Work, now: int) -> Outcome:
        codec = protocol.REQUESTS.get(work.path)
        if codec is None:
            raise Refused("malformed", "no such path")
        request = codec.parse(work.body)
        match request:
            case protocol.Admit():
                self._verify(work, self.charter.keyholder.desk, "desk")
                return Outcome(subjects.admit(self, request, now))
            case protocol.Enrol() | protocol.Reads():
                self._verify(work, request.device, "device")
                if abs(request.time - now) > checks.LATE_SECONDS:
                    raise Refused("stale", "the request's time is too far from the ledger's")
                if isinstance(request, protocol.Enrol):
                    return Outcome(subjects.enrol(self, request, now))
                return Outcome(subjects.reads(self, request, work.body, now))
            case protocol.Operate():
                self._verify(work, self.charter.keyholder.operator, "operator")
                return Outcome(office.operate(self, request, now))
            case protocol.EnterCharter():
                return Outcome(office.enter_charter(self, request, work.path, work.body, work.signature, now))
        self._verify(work, self.charter.vault.message, "vault")
        self._take_cosignature(request)
        match request:
            case protocol.Disclose() | protocol.Find() | protocol.Intake() | protocol.Refusal():
                return self._ask(request, work, now)
            case protocol.Epoch():
                return Outcome(office.epoch(self, request, now))
            case protocol.Entries():
                start, limit = request.start, request.limit
                return Outcome(lambda: protocol.Tail(checkpoint=self.book.note, entries=self.book.entries(start, limit)))
        if work.path == "/v1/status":
            return Outcome(lambda: office.status(self, now))
        if work.path == "/v1/publish":
            return Outcome(lambda: protocol.Published(checkpoint=self.publish(now)))
        return Outcome(lambda: protocol.Published(checkpoint=self.book.published()))

    @staticmethod
    def _verify(work: Work, key: bytes, code: str) -> None:
        protocol.verify_request(work.path, work.body, work.signature, key, code)

    def _take_cosignature(self, request: Record) -> None:
        line = getattr(request, "cosignature", "")
        if line:
            self.book.cosigned(line, note.verifier(self.charter.vault.cosigner), self.public)

    # --- asks ------------------------------------------------------------------------------------------------------
    def _ask(
        self, request: protocol.Disclose | protocol.Find | protocol.Intake | protocol.Refusal, work: Work, now: int
    ) -> Outcome:
        case = checks.Case(now, request, hashlib.sha256(work.body).digest())
        checks.run(checks.IDENTIFY, case, self)
        if isinstance(request, protocol.Refusal):
            index = self._write_refusal(case, request.code, "vault")
            return Outcome(lambda: self.written(request.have, index))
        try:
            checks.run(checks.DECIDE, case, self)
        except Refused as refusal:
            if case.answered is None:
                self._write_refusal(case, refusal.code, "keyholder")
            raise
        if case.answered is not None:
            index = case.answered
        else:
            self.store.set_budgets(case.budgets)
            index = self.book.stage(self._entry(case))
            until, remaining = case.ask.time + 600, 0
            if isinstance(case.ask, asks.IntakeAsk):
                until = case.ask.until
                remaining = (case.ask.count if case.window is None else case.window) - checks.price(case)
            self.store.use_ask(case.ask_hash, case.request_hash, index, now, until, remaining)
        return Outcome(lambda: self._give(case, work, index))

    def _entry(self, case: checks.Case) -> entry.Entry:
        ask, request = case.ask, case.request
        common = {
            "v": 1,
            "time": case.now,
            "asker": self._asker(ask.reader, case.now),
            "charter": ask.charter,
            "commitment": ask.commitment,
            "count": checks.price(case),
            "holding": ask.holding,
            "purpose": ask.purpose,
            "role": case.line.role,
            "unit": permit.public_unit(self.charter, self.in_force().lines, case.line),
        }
        if isinstance(request, protocol.Intake):
            return entry.IntakeEntry(**common)
        if isinstance(request, protocol.Find):
            return entry.FindEntry(**common, tags=self._number(ask.holding, [request.inner[:16]]))
        about = sorted(set(zip(case.handles, case.whos, strict=True)))
        tags = self._number(ask.holding, [who for _, who in about])
        return entry.DisclosureEntry(**common, compartments=sorted(set(case.compartments)), tags=tags)

    def _number(self, holding: str, whos: Sequence[bytes]) -> list[bytes]:
        holding_id, generation = self.holding_id(holding), self.generation()
        tags = []
        for who in whos:
            number = self.store.next_number(holding_id, who, generation)
            tags.append(tag.tag(tag.chain_key(self.keys.tag, holding_id, who, generation), number))
        return sorted(tags)

    def generation(self) -> int:
        return int(self.store.state("generation") or b"1")

    def _asker(self, reader: bytes, now: int) -> bytes:
        month = clocks.strftime("%Y-%m", clocks.gmtime(now)).encode()
        return hmac.digest(self.keys.asker, label("asker") + reader + month, "sha256")[:12]

    def _write_refusal(self, case: checks.Case, code: str, by: str) -> int:
        ask = case.ask
        index = self.book.stage(
            entry.RefusalEntry(
                v=1,
                time=case.now,
                asker=self._asker(ask.reader, case.now),
                by=by,  # type: ignore[arg-type]
                charter=self.charter_hash,
                code=code,
                commitment=ask.commitment,
                holding=ask.holding,
                purpose=ask.purpose,
                role=case.line.role,
                unit=permit.public_unit(self.charter, self.in_force().lines, case.line),
            )
        )
        until = ask.until if isinstance(ask, asks.IntakeAsk) else ask.time + 600
        self.store.use_ask(case.ask_hash, b"", index, case.now, until, 0)
        return index

    def _give(self, case: checks.Case, work: Work, index: int) -> Record:
        request, receipt = case.request, self.book.receipt(index)
        assert not isinstance(request, protocol.Refusal)
        inner: Record
        if isinstance(request, protocol.Disclose):
            inner = protocol.Shares(receipt=receipt, shares=case.shares)
        elif isinstance(request, protocol.Find):
            assert isinstance(case.ask, asks.FindAsk)
            key = self._index_key(case.ask.holding, case.ask.kind)
            inner = protocol.Token(receipt=receipt, token=token.tokens(key, [request.inner])[0])
        else:
            columns = [
                b"".join(token.tokens(self._index_key(case.ask.holding, kind), [c[i : i + 32] for i in range(0, len(c), 32)]))
                for kind, c in zip(request.kinds, request.inners, strict=True)
            ]
            inner = protocol.Tokens(receipt=receipt, tokens=columns)
        sealed = hpke.encrypt(request.fresh, protocol.answer_info(self.room, work.body), encode(inner))
        return protocol.SealedAnswer(entries=self.book.entries(request.have, protocol.MAX_TAIL), sealed=sealed)

    def _index_key(self, holding: str, kind: str) -> bytes:
        found = self._index_keys.get((holding, kind))
        if found is None:
            found = token.index_key(self.keys.index, self.holding_id(holding), ids.kind_id(kind))
            self._index_keys[holding, kind] = found
        return found

    def written(self, have: int, index: int) -> Record:
        return protocol.Written(entries=self.book.entries(have, protocol.MAX_TAIL), receipt=self.book.receipt(index))

    # --- on its own ------------------------------------------------------------------------------------------------
    def publish(self, now: int) -> str:
        """Publish the ledger as static files. Returns the published checkpoint."""
        current = self.in_force().charter
        vkeys = [current.keyholder.log, current.keyholder.ml_dsa, current.vault.cosigner]
        return self.book.publish(self.public, now, vkeys)

    def tick(self) -> None:
        """What happens by itself: a heartbeat entry when one is due, then publishing. Raises ``Refused`` (``clock``)."""
        now = self.now()
        self._set_time(now)
        if self._current is None:
            return
        with self.store.transaction():
            due = int(self.store.state("heartbeat") or b"0") + self._current.charter.heartbeat
            if now >= due:
                self.book.stage(entry.HeartbeatEntry(v=1, time=now))
                self.store.set_state("heartbeat", str(now).encode())
                self.store.forget_asks(now)
            self.book.flush(now)
        self.book.sign()
        self.publish(now)

    def started(self) -> None:
        """Leave a mark that the keyholder was started: an unexpected one is a thing to ask about."""
        now = self.now()
        if self.book.size:
            with self.store.transaction():
                self.book.stage(entry.NoticeEntry(v=1, time=now, code="start", scope=""))
                self.book.flush(now)
            self.book.sign()
