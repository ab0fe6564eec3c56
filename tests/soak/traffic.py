"""Readers at work: real asks of real devices over real connections, as fast as they are answered."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Sequence
from random import Random
from typing import Any

from tests.soak.model import Act, Model, Outcome

from strongroom.canonical import encode
from strongroom.client.device import Asker, SignedAsk
from strongroom.errors import StrongroomError
from strongroom.gate import ask as asks
from strongroom.ledger import proof
from strongroom.synth.people import people

CASE, REASON = "case-17", "confirming an application for a passport"
_SECONDS = 20.0
_LATER = 0.05
# What may be said while a house is down, slow, or has no room on its disk.
FAULTS, GONE = frozenset({"keyholder", "store", "busy"}), frozenset({"erased", "input"})


class Traffic(threading.Thread):
    """One reader. ``own``: records that nobody else changes, so that the order of changes is known."""

    def __init__(
        self, model: Model, asker: Asker, port: int, seed: int, stop: threading.Event, own: list[bytes]
    ) -> None:
        super().__init__(daemon=True)
        self.model, self.asker, self.port, self.halt, self.own = model, asker, port, stop, own
        self.chooser = Random(seed)
        self.fresh = people(100_000, seed)
        self._line: http.client.HTTPConnection | None = None
        self.broke: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.halt.is_set():
                self.act()
        except BaseException as error:  # noqa: BLE001 - told by who waits for the thread
            self.broke = error
        finally:
            self.close()

    def act(self) -> None:
        raise NotImplementedError

    # --- one request ---------------------------------------------------------------------------------------------------
    def post(self, path: str, body: bytes) -> tuple[int, Any] | None:
        """Status and what was said; None where nothing whole came back."""
        try:
            if self._line is None:
                self._line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_SECONDS)
            self._line.request("POST", path, body, {"Content-Type": "application/json"})
            answer = self._line.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            self.close()
            self.halt.wait(_LATER)
            return None

    def close(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def send(
        self, path: str, kind: str, signed: SignedAsk, cost: int, *, body: bytes = b"", records: Sequence[bytes] = ()
    ) -> tuple[Act, Any]:
        """What came of one ask, which the model then knows."""
        answer = self.post(path, body or encode(evidence(signed)))
        act = Act(kind, asks.ask_hash(signed.text), signed.ask.reader, signed.ask.purpose, cost, "doubt")
        said: Any = {}
        if answer is not None:
            status, said = answer
            if status < 300:
                act.outcome, act.receipt = "answered", said["receipt"]
                act.entries = tuple(said["entries"]) if "entries" in said else (said["entry"],)
                self._proved(act)
            else:
                act.outcome, act.code = self._failed(kind, said, records)
                act.entries = (said["entry"],) if "entry" in said else ()
        self.model.add(act)
        return act, said

    def _failed(self, kind: str, said: Any, records: Sequence[bytes]) -> tuple[Outcome, str]:
        code = str(said["code"])
        if code in FAULTS:
            self.halt.wait(_LATER)
            return "doubt", code
        with self.model.lock:
            gone = not (self.model.erased | self.model.maybe_erased).isdisjoint(records)
        # Refused by the keyholder, or not in the store any more; or corrected between the vault's look and the keyholder's.
        if not (gone and code in GONE) and code != "version":
            self.model.say(f"{kind}: {code}: {said.get('detail')}")
        return "refused", code

    def _proved(self, act: Act) -> None:
        try:
            if proof.parse(act.receipt).index != act.entries[-1]:
                self.model.say(f"{act.kind}: the receipt is of another entry")
        except StrongroomError as error:
            self.model.say(f"{act.kind}: {error}")


class Clerk(Traffic):
    """Reads: one record, many, a find by number, a check."""

    def act(self) -> None:
        way, now = self.chooser.random(), int(time.time())
        with self.model.lock:
            known = list(self.model.names)
        if way < 0.65:
            self._disclose(self.chooser.sample(known, 1 if way < 0.5 else 20), now)
        elif way < 0.85:
            handle = self.chooser.choice(known)
            number = self.model.numbers[handle]
            signed = self.asker.find("residents", "confirm", "resident-id", number, CASE, REASON, now)
            act, said = self.send("/v1/finds", "find", signed, 1)
            gone = handle in self.model.erased or handle in self.model.maybe_erased
            if act.outcome == "answered" and handle.hex() not in said["records"] and not gone:
                self.model.say("find: a record that is here was not found")
        else:
            handle = self.chooser.choice(known)
            signed = self.asker.check("residents", "verify", [handle], "born", "adult", None, CASE, REASON, now)
            self.send("/v1/checks", "check", signed, 1, records=[handle])

    def _disclose(self, handles: Sequence[bytes], now: int) -> None:
        signed = self.asker.disclose("residents", "confirm", handles, ["name"], CASE, REASON, now)
        act, said = self.send("/v1/disclosures", "disclosure", signed, len(handles), records=handles)
        if act.outcome == "answered" and [one["handle"] for one in said["records"]] != sorted(h.hex() for h in handles):
            self.model.say("disclosure: not the records that were asked for")


class Registrar(Traffic):
    """Stores new records, corrects and erases its own."""

    def act(self) -> None:
        way, now = self.chooser.random(), int(time.time())
        if way < 0.5 or len(self.own) < 5:
            self._store(self.chooser.choice((1, 1, 1, 5, 30, 80)), now)
        elif way < 0.85:
            self._correct(self.chooser.choice(self.own), now)
        else:
            self._erase(self.own.pop(self.chooser.randrange(len(self.own))), now)

    def _store(self, count: int, now: int) -> None:
        records = [
            {name: one[name] for name in ("id-number", "name", "born", "sex", "phone", "email")}
            for one, _ in zip(self.fresh, range(count), strict=False)
        ]
        signed = self._intake("register", 2 * count, now)
        body = b'{"ask":' + encode(evidence(signed)) + b',"records":' + json.dumps(records).encode() + b"}"
        act, said = self.send("/v1/records", "intake", signed, 2 * count, body=body)
        if act.outcome == "answered":
            for handle, record in zip(said["records"], records, strict=True):
                self.model.stored(bytes.fromhex(handle), record["name"], record["id-number"])
                self.own.append(bytes.fromhex(handle))
        elif act.outcome == "doubt":
            with self.model.lock:
                self.model.maybe_stored += count

    def _correct(self, handle: bytes, now: int) -> None:
        name = f"Renamed {''.join(self.chooser.choices('abcdefghijklmnop', k=12))}"
        signed = self.asker.correct("residents", "amend", [handle], {"name": name}, CASE, REASON, now)
        intake = self._intake("register", 2, now)
        body = b'{"ask":' + encode(evidence(signed)) + b',"intake":' + encode(evidence(intake)) + b"}"
        act, said = self.send("/v1/corrections", "correction", signed, 1, body=body)
        beside = Act("intake", asks.ask_hash(intake.text), intake.ask.reader, "register", 2, act.outcome, code=act.code)
        beside.entries = tuple(said["indexed"]) if act.outcome == "answered" else ()
        self.model.add(beside)
        with self.model.lock:
            if act.outcome == "answered":
                self.model.names[handle] = {name}
            elif act.outcome == "doubt":
                # It may be done yet, when the answer to nobody is made: nothing more is done to this one.
                self.model.names[handle] |= {name}
        if act.outcome == "doubt":
            self.own.remove(handle)

    def _erase(self, handle: bytes, now: int) -> None:
        with self.model.lock:
            self.model.maybe_erased.add(handle)
        signed = self.asker.erase("residents", "forget", [handle], CASE, REASON, now)
        act, _ = self.send("/v1/erasures", "erasure", signed, 1)
        if act.outcome == "answered":
            with self.model.lock:
                self.model.erased.add(handle)
                self.model.maybe_erased.discard(handle)

    def _intake(self, purpose: str, count: int, now: int) -> SignedAsk:
        return self.asker.intake("residents", purpose, count, now + 3600, CASE, REASON, now)


class Cutter(Traffic):
    """Breaks off: in the middle of what it sends, or before the answer."""

    def act(self) -> None:
        with self.model.lock:
            handle = self.chooser.choice(list(self.model.names))
        signed = self.asker.disclose("residents", "confirm", [handle], ["name"], CASE, REASON, int(time.time()))
        body, whole = encode(evidence(signed)), self.chooser.random() < 0.5
        outcome: Outcome = "doubt" if whole else "cut"
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_SECONDS)
        try:
            line.putrequest("POST", "/v1/disclosures")
            line.putheader("Content-Type", "application/json")
            line.putheader("Content-Length", str(len(body)))
            line.endheaders(body if whole else body[: self.chooser.randrange(1, len(body))])
        except OSError:
            pass  # it was just killed
        finally:
            line.close()
        self.model.add(Act("disclosure", asks.ask_hash(signed.text), signed.ask.reader, "confirm", 1, outcome))
        self.halt.wait(0.1 * self.chooser.random())


def evidence(signed: SignedAsk) -> asks.Evidence:
    return asks.Evidence(
        ask=signed.text.decode(),
        countersignatures=[],
        private=encode(signed.private).decode(),
        signature=signed.signature,
    )
