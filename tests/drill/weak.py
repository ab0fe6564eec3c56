"""Weakenings: each takes one check or mechanism away, as a defect would. They live in the tests alone."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from strongroom.catalog import charter as charters
from strongroom.client import subject
from strongroom.client.watch import Watcher
from strongroom.custody import read, room
from strongroom.custody.intake import chunk
from strongroom.custody.intake.chunk import Taker
from strongroom.custody.intake.identifiers import Identifiers
from strongroom.custody.mirror import Mirror
from strongroom.custody.room import Room
from strongroom.errors import Refused, SealError, StrongroomError
from strongroom.gate import ask as asks
from strongroom.gate import permit
from strongroom.keyholder import checks, core, office, protocol, reading
from strongroom.keyholder.clock import Clock
from strongroom.keyholder.store import Store
from strongroom.ledger import audit, confirm, note, proof
from strongroom.ledger import checkpoint as checkpoints
from strongroom.seal import batch, cleartext, mac, person, slot, token
from strongroom.seal.columns import split, xor
from strongroom.store.rows import join_tokens
from strongroom.store.vault import VaultStore

Weaken = Callable[[pytest.MonkeyPatch], None]


class Same:
    """Equal to anything."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


class SameNumber(int):
    """A number that passes for any other."""

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = int.__hash__


def nothing(*_: Any, **__: Any) -> None:
    return


# --- the keyholder's checks ----------------------------------------------------------------------------------------------
def unchecked(name: str) -> Weaken:
    """One check of the keyholder's table left out."""
    return lambda patch: patch.setattr(checks, name, nothing)


def any_columns(patch: pytest.MonkeyPatch) -> None:
    def columns(case: checks.Case, facts: checks.Facts) -> None:
        if isinstance(case.request, protocol.Disclose):
            case.handles = split(case.request.handles, 16)
            count = len(case.handles)
            case.versions = (slot.u32s(case.request.versions) * count)[:count]
            case.compartments = (slot.u16s(case.request.compartments) * count)[:count]

    patch.setattr(checks, "columns", columns)


def any_members(patch: pytest.MonkeyPatch) -> None:
    """Requests are taken as they come, with what is missing made up."""

    def parse(data: bytes) -> protocol.Disclose:
        found = {name: value for name, value in msgspec.json.decode(data).items() if name in names}
        return msgspec.convert({"cosignature": ""} | found, protocol.Disclose)

    names = set(protocol.Disclose.__struct_fields__)
    patch.setitem(protocol.REQUESTS, "/v1/disclose", SimpleNamespace(parse=parse))


def any_ask(patch: pytest.MonkeyPatch) -> None:
    """Neither the ask's form nor its action is looked at."""

    def ask(case: checks.Case, facts: checks.Facts) -> None:
        case.ask = msgspec.json.decode(case.request.ask, type=asks.Ask)
        case.ask_hash = asks.ask_hash(case.request.ask.encode())

    patch.setattr(checks, "ask", ask)


def any_reader(patch: pytest.MonkeyPatch) -> None:
    def reader(case: checks.Case, facts: checks.Facts) -> None:
        case.line = facts.roster.get(case.ask.reader) or next(iter(facts.roster.values()))

    patch.setattr(checks, "reader", reader)


def permitted(code: str) -> Weaken:
    """The charter's rules without the one of that code."""
    honest = permit.permitted

    def weak(charter: Any, ask: asks.Ask, line: Any) -> permit.Permit:
        try:
            return honest(charter, ask, line)
        except Refused as refusal:
            if refusal.code != code:
                raise
            purpose = charter.purposes.get(ask.purpose) or charter.purposes["confirm"]
            return permit.Permit(purpose, frozenset(range(1, 9)), {})

    return lambda patch: patch.setattr(permit, "permitted", weak)


def any_signer(code: str) -> Weaken:
    """Requests of one door are not held to their signature."""
    honest = protocol.verify_request

    def weak(room: bytes, path: str, body: bytes, signature: bytes, key: bytes, wanted: str) -> None:
        if wanted != code:
            honest(room, path, body, signature, key, wanted)

    return lambda patch: patch.setattr(protocol, "verify_request", weak)


def any_subject(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Store, "subject", lambda self, device: [("residents", "resident-id", bytes(16))])


def any_clock(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Clock, "now", lambda self, last: max(int(self._wall()), last))


def any_epoch(patch: pytest.MonkeyPatch) -> None:
    honest = core.Keyholder.secret

    def weak(self: core.Keyholder, holding: str, epoch: int, sealed: bytes) -> bytes:
        try:
            return honest(self, holding, epoch, sealed)
        except Refused as refusal:
            if refusal.code != "epoch":
                raise
            return bytes(32)

    patch.setattr(core.Keyholder, "secret", weak)


def any_batch(patch: pytest.MonkeyPatch) -> None:
    honest = batch.open_batch_secret

    def weak(*given: Any) -> bytes:
        try:
            return honest(*given)
        except SealError:
            return bytes(32)

    patch.setattr(batch, "open_batch_secret", weak)


def any_charter(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(charters, "verify", nothing)


def identical_for_ever(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(protocol, "IDENTICAL_SECONDS", 10**6)


# --- what a share is bound to ----------------------------------------------------------------------------------------------
def unbound(part: str) -> Weaken:
    """Masks and shares that do not hang on a slot's handle, version or compartment."""
    honest = slot.addresses

    def weak(handles: Sequence[bytes], versions: Sequence[int], compartments: Sequence[int]) -> list[bytes]:
        count = len(handles)
        return honest(
            [bytes(16)] * count if part == "handle" else handles,
            [1] * count if part == "version" else versions,
            [1] * count if part == "compartment" else compartments,
        )

    def patch_all(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(slot, "addresses", weak)
        patch.setattr(batch, "addresses", weak)

    return patch_all


def unbound_share(*, who: bool, handle: bool) -> Weaken:
    """Shares that do not hang on the person, or not on the handle either; masks do."""
    many, release = mac.many, slot.release
    skip = (16 if who else 0) + (16 if handle else 0)
    assert who, "a share skips the person first"

    def weak_many(context: Any, messages: Any) -> list[bytes]:
        return many(context, [one[:1] + one[1 + skip :] if one[:1] == slot.SHARE else one for one in messages])

    def weak_release(secrets: Any, index: Any, handles: bytes, versions: Any, compartments: Any, masked: bytes) -> Any:
        whos, _ = release(secrets, index, handles, versions, compartments, masked)
        places = slot.addresses(split(handles, 16), versions, compartments)
        texts = [slot.SHARE + (who + place)[skip:] for who, place in zip(whos, places, strict=True)]
        return whos, b"".join(mac.mac(secrets[at], text) for at, text in zip(index, texts, strict=True))

    def patch_both(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(batch, "many", weak_many)
        patch.setattr(slot, "release", weak_release)

    return patch_both


unbound_who = unbound_share(who=True, handle=False)


# --- what the keyholder writes -----------------------------------------------------------------------------------------------
def tags_of_nobody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reading, "_number", lambda keyholder, holding, whos: sorted(os.urandom(16) for _ in whos))


def share_in_status(patch: pytest.MonkeyPatch) -> None:
    """The keyholder tells in its status what it gave first."""
    given: list[bytes] = []
    give, status = reading._give, office.status

    def remember(keyholder: Any, case: checks.Case, work: Any, index: int) -> Any:
        given[:] = given or ([case.shares[:32]] if case.shares else [])
        return give(keyholder, case, work, index)

    patch.setattr(reading, "_give", remember)
    patch.setattr(
        office, "status", lambda keyholder, now: msgspec.structs.replace(status(keyholder, now), charter=given[0])
    )


# --- the vault's checks ------------------------------------------------------------------------------------------------------
def any_receipt(patch: pytest.MonkeyPatch) -> None:
    honest = Room.settle

    def weak(self: Room, receipt: str, entries: Sequence[str], have: int) -> int:
        try:
            return honest(self, receipt, entries, have)
        except StrongroomError:
            self.sync()
            return self.mirror.size - 1

    patch.setattr(Room, "settle", weak)


def any_proof(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(proof, "verify", nothing)


def any_log(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(note, "signed_by", lambda text, verifiers: (note.parse_note(text).text, tuple(verifiers)))


def any_entry(patch: pytest.MonkeyPatch) -> None:
    """Of which entry a receipt is does not matter: neither how old it is nor what it says."""
    patch.setattr(room, "check_index", lambda index, have, size: None)
    patch.setattr(read, "verify_entry", lambda *facts: SimpleNamespace(compartments=Same(), tags=range(facts[-1])))


def any_checkpoint(patch: pytest.MonkeyPatch) -> None:
    """A mirror that compares no roots: what it cannot take it takes all the same."""
    honest = Mirror.accept

    def weak(self: Mirror, signed: str, entries: Sequence[str], start: int, fetch: Any) -> checkpoints.Checkpoint:
        try:
            return honest(self, signed, entries, start, fetch)
        except StrongroomError:
            found = note.parse_note(signed)
            at, size = checkpoints.parse(found.text), self.size
            fresh = [item.encode() for item in [*entries, *fetch(start + len(entries), 1000)]][
                size - start : at.size - start
            ]
            if len(fresh) == at.size - size > 0:
                lines = found.signatures[0].marshal() + self._cosigner.cosign(found.text, self._now())
                self._store.append(size, fresh, {}, f"{found.text}\n{lines}".encode())
            return at

    patch.setattr(Mirror, "accept", weak)


def any_commitment(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(cleartext, "hmac", SimpleNamespace(compare_digest=lambda a, b: True))


def any_request(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(protocol, "answer_info", lambda room, body: b"any request")


# --- those who look at the book ------------------------------------------------------------------------------------------------
def any_growth_for_watchers(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Watcher, "_grew", lambda self, before, now, progress: ({}, None))
    patch.setattr(Watcher, "_confirmed", lambda self, cosigned, now, note: None)


def any_growth_for_subjects(patch: pytest.MonkeyPatch) -> None:
    """A subject who holds the book neither against the last one nor against what the vault has cosigned."""
    patch.setattr(audit, "verify_growth", nothing)
    patch.setattr(confirm, "confirm", lambda fetch, text, verifiers, published: confirm.claimed(text))


def any_confirmation(patch: pytest.MonkeyPatch) -> None:
    """A cosignature is wanted, of whatever book."""
    patch.setattr(confirm, "verify_growth", nothing)


def no_confirmation(patch: pytest.MonkeyPatch) -> None:
    """Where no file says what the vault has cosigned, none is wanted."""

    def weak(audited: audit.Audit) -> tuple[confirm.Confirmed, int]:
        last = audited.times[1] if audited.times else 0
        return audited.confirmed or confirm.Confirmed(audited.checkpoint, last), last

    patch.setattr(subject, "_confirmed", weak)


def any_cosigner(patch: pytest.MonkeyPatch) -> None:
    """Anybody's signature passes for the vault's."""
    patch.setattr(confirm, "vaults", lambda verifiers, origin: list(verifiers))


def any_age(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(subject, "SECONDS", 10**9)


def any_tiles(patch: pytest.MonkeyPatch) -> None:
    """An auditor that takes entries as they are, without building the tree out of them."""
    tiles = audit._Tiles

    class Believing(tiles):  # type: ignore[misc, valid-type]
        def add(self, leaves: list[bytes]) -> None:
            return

        def root(self) -> Any:
            return Same()

    patch.setattr(audit, "_Tiles", Believing)


def any_day(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(audit._Book, "close_day", lambda self: setattr(self, "_pairs", []))


def blind_to(what: str) -> Weaken:
    """A subject who does not look for gaps, for tags past the count, or for repeated ones."""
    honest = subject.ChainView

    def weak(**given: Any) -> subject.ChainView:
        return honest(**given | {what: ()})

    return lambda patch: patch.setattr(subject, "ChainView", weak)


def short_sight(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(subject, "BEYOND", 0)


def any_statement(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(subject, "_verify_statement", nothing)


def statement_for(member: str, value: Callable[[Any], Any]) -> Weaken:
    """One member of the keyholder's statement is not compared."""
    honest = protocol.statement

    def parse(data: bytes) -> protocol.Statement:
        found = honest.parse(data)
        return msgspec.structs.replace(found, **{member: value(getattr(found, member))})

    return lambda patch: patch.setattr(
        "strongroom.client.subject.protocol", _with(protocol, statement=SimpleNamespace(parse=parse))
    )


def _with(module: Any, **changed: Any) -> Any:
    return SimpleNamespace(**vars(module) | changed)


# --- what lies on the vault's disk -----------------------------------------------------------------------------------------------
def plaintext_left(patch: pytest.MonkeyPatch) -> None:
    """A forgotten log of what was taken in."""
    honest = Taker._texts

    def weak(self: Taker, names: Any, values: Any) -> list[bytes]:
        texts = honest(self, names, values)
        with self._room.store._db.transaction():
            self._room.store._db.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"debug:{names[0]}", texts[0]))
        return texts

    patch.setattr(Taker, "_texts", weak)


def no_padding(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(batch, "pad", lambda text, floor: text + b"\x80" + bytes(-(len(text) + 1) % 16))


def fewer_tokens(patch: pytest.MonkeyPatch) -> None:
    """A record keeps the tokens of its values alone."""
    honest = Identifiers.tokens

    def weak(self: Identifiers, given: Any) -> Any:
        columns = honest(self, given).items()
        return {
            name: [a if b else b"" for a, b in zip(column, self.own[name], strict=True)] for name, column in columns
        }

    patch.setattr(Identifiers, "tokens", weak)
    patch.setattr(chunk, "join_tokens", lambda tokens: join_tokens({token for token in tokens if token}))


def one_token_for_no_value(patch: pytest.MonkeyPatch) -> None:
    """What stands for no value is the same for everybody."""
    honest = person.no_value
    patch.setattr(
        person, "no_value", lambda keys, kind, field, seeds: honest(keys, kind, field, [bytes(32)] * len(seeds))
    )


def handles_in_order(patch: pytest.MonkeyPatch) -> None:
    honest = Taker._records

    def weak(self: Taker, *given: Any) -> Any:
        room, number = self._room, itertools.count(int.from_bytes(os.urandom(8)))
        with pytest.MonkeyPatch.context() as inner:
            first = [True]

            def random(size: int) -> bytes:
                if first[0]:
                    first[0] = False
                    return b"".join(next(number).to_bytes(16) for _ in range(size // 16))
                return os.urandom(size)

            inner.setattr(room, "random", random)
            return honest(self, *given)

    patch.setattr(Taker, "_records", weak)


def nonces_counted(patch: pytest.MonkeyPatch) -> None:
    """Nonces counted from nought in each batch: never used twice under a key, and still they name the row."""

    def weak(column: bytes, width: int) -> list[bytes]:
        return [at.to_bytes(12) for at in range(len(column) // 12)] if width == 12 else split(column, width)

    patch.setattr(batch, "split", weak)


def one_key(patch: pytest.MonkeyPatch) -> None:
    """One key and commitment for all compartments of a holding, whatever the share."""
    for module in (batch, cleartext):
        patch.setattr(module, "key_and_check", lambda keys, share: (keys.seal, keys.nobody[:16]))


def no_mask(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(batch, "xor", lambda left, right: left)
    patch.setattr(slot, "xor", lambda left, right: left)
    assert xor(b"a", b"b") != b"a", "the weakening is in the sealing alone"


def no_index_key(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(token, "tokens", lambda key, inners: [inner[:16] for inner in inners])


def known_batch_secret(patch: pytest.MonkeyPatch) -> None:
    honest = batch.Batch.open.__func__  # type: ignore[attr-defined]
    patch.setattr(batch.Batch, "open", classmethod(lambda cls, *given: honest(cls, *given[:-1], bytes)))


def batch_secret_kept(patch: pytest.MonkeyPatch) -> None:
    """The secret of a batch is written down beside it."""
    honest, put = mac.keyed, VaultStore.put_batch
    secrets: list[bytes] = []

    def keyed(b: bytes) -> Any:
        secrets.append(b)
        return honest(b)

    def weak(self: VaultStore, *given: Any) -> None:
        put(self, *given)
        with self._db.transaction():
            self._db.run("INSERT INTO meta VALUES (?, ?)", (f"batch:{given[0].hex()}", secrets[-1]))

    patch.setattr(batch, "keyed", keyed)
    patch.setattr(VaultStore, "put_batch", weak)
