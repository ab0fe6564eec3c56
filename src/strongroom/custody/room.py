"""An open vault: its store, keys, mirror, gate, and the line to the keyholder."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from strongroom.catalog import charter as charters
from strongroom.catalog.model import Charter, RosterLine
from strongroom.custody import keys as vault_keys
from strongroom.custody.mirror import Enacted, Mirror
from strongroom.errors import InputError, ProofError, StoreError
from strongroom.gate import ask as asks
from strongroom.gate.decision import Gate
from strongroom.keyholder import client, line, protocol
from strongroom.ledger import checkpoint, note, proof
from strongroom.seal import hpke
from strongroom.seal.private import PrivateSealer
from strongroom.store.vault import VaultStore

_SEALER_SECONDS = 60.0
_COSIGNED_SECONDS = 1.0
_FRESH_SECONDS = 1.0


@dataclass(frozen=True)
class Rules:
    """A charter in force, its roster, and the gate compiled from both."""

    enacted: Enacted
    roster: dict[bytes, RosterLine]
    gate: Gate

    @property
    def charter(self) -> Charter:
        return self.enacted.charter


class Room:
    """One custodian's vault. An object belongs to the thread that opened it; several may be open on one directory.

    ``transport`` goes to the keyholder: HTTP unless told otherwise.
    """

    def __init__(
        self,
        directory: Path,
        *,
        transport: client.Transport | None = None,
        clock: Callable[[], float] = time.time,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.directory = directory
        self.keys = vault_keys.load(directory)
        self.anchors = vault_keys.load_room(directory)
        self.random = random
        self._clock = clock
        self.store = VaultStore(directory / "vault.db")
        self.mirror = Mirror(self.store.mirror, self.anchors.genesis, self.anchors.log, self.keys.cosigner, self.now)
        self._rules: Rules | None = None
        self._steady = False
        self._message = b""
        self._numbers: dict[str, int] = {}
        self._cosigned = 0.0
        self._fresh: tuple[float, hpke.HpkePrivate] | None = None
        self._sealer: tuple[bytes, float, PrivateSealer] | None = None
        # Where the keyholder is, how its answers are known, and how the line to it is kept.
        self.address, self.voice = self._address(), client.Voice(self.keys.room, self._message_key)
        self.client = client.Client(
            transport or client.HttpTransport(self.address, self.voice, tls=self.tls), self.keys.message, self.keys.room
        )

    def tls(self) -> ssl.SSLContext:
        """How a keyholder elsewhere is spoken to. Raises ``InputError``."""
        return line.context(self.directory)

    def _message_key(self) -> bytes:
        """The keyholder's, by which its answers are known; empty until the first charter is here, which settles it for good."""
        if not self._message:
            known = self.mirror.charters()
            self._message = known[0].charter.keyholder.message if known else b""
        return self._message

    def _address(self) -> Callable[[], str]:
        where = self.anchors.keyholder
        if where.startswith("file:"):
            return client.address_file((self.directory / where.removeprefix("file:")).resolve())
        return lambda: where

    def close(self) -> None:
        self.client.close()
        self.store.close()

    def now(self) -> int:
        return int(self._clock())

    # --- the keyholder -----------------------------------------------------------------------------------------------
    def common(self) -> dict[str, Any]:
        """What every request to the keyholder carries: how far the mirror is and its root there, our last cosignature, the time.

        Taken once for a request, whose answer begins at this ``have``: another process may bring the mirror on meanwhile.
        """
        have, root, cosignature = self.mirror.head()
        return {"have": have, "root": root, "cosignature": cosignature, "time": self.now()}

    def often(self) -> dict[str, Any]:
        """``common`` for who asks many times a second: with the cosignature once in one, since the keyholder verifies each, and keeps the
        last one alone."""
        known, now = self.common(), self._clock()
        if 0 <= now - self._cosigned < _COSIGNED_SECONDS:
            return known | {"cosignature": ""}
        self._cosigned = now
        return known

    def fresh(self) -> hpke.HpkePrivate:
        """A key to which answers are sealed, made at most a second ago: for who asks many times in one. It costs as much as three
        signatures, and a group's answer is given again to another for two minutes anyway (SPEC.md 8.11)."""
        now = self._clock()
        if self._fresh is None or not 0 <= now - self._fresh[0] < _FRESH_SECONDS:
            self._fresh = now, hpke.private_from(self.random(hpke.SEED_SIZE))
        return self._fresh[1]

    def fetch(self, start: int, limit: int) -> Sequence[str]:
        """Entries of the ledger from ``start`` on."""
        request = protocol.Entries(**self.common(), start=start, limit=min(limit, protocol.MAX_TAIL))
        return protocol.tail.parse(self.client.call("/v1/entries", request)).entries

    def sync(self) -> checkpoint.Checkpoint:
        """Bring the mirror up to the keyholder's last checkpoint, verify and cosign it."""
        have = self.mirror.size
        request = protocol.Entries(**self.common(), start=have, limit=protocol.MAX_TAIL)
        tail = protocol.tail.parse(self.client.call("/v1/entries", request))
        return self.mirror.accept(tail.checkpoint, tail.entries, have, self.fetch)

    def cosign(self) -> str:
        """Hand over the cosignature of the last checkpoint. Returns the published checkpoint."""
        request = protocol.Plain(**self.common())
        return protocol.published.parse(self.client.call("/v1/cosign", request)).checkpoint

    def publish(self) -> str:
        """Have the ledger published, and cosign what was published. Returns the published checkpoint."""
        have = self.mirror.size
        published = protocol.published.parse(
            self.client.call("/v1/publish", protocol.Plain(**self.common()))
        ).checkpoint
        self.mirror.accept(published, [], have, self.fetch)
        return self.cosign()

    def status(self) -> protocol.Status:
        return protocol.status.parse(self.client.call("/v1/status", protocol.Plain(**self.common())))

    def budgets(self, reader: bytes, purpose: str, holding: str) -> protocol.Buckets:
        """What is left to a reader (16 bytes). Raises ``Refused`` (``reader``, ``purpose``, ``holding``)."""
        request = protocol.Budgets(**self.common(), holding=holding, purpose=purpose, reader=reader)
        return protocol.buckets.parse(self.client.call("/v1/budgets", request))

    # --- rules -------------------------------------------------------------------------------------------------------
    def rules(self) -> Rules:
        """The charter in force by the ledger's time, or by ours where that is ahead: both houses must agree anyway."""
        if self._steady and self._rules is not None:
            return self._rules
        enacted = self.mirror.in_force(self.now())
        if self._rules is None or self._rules.enacted.hash != enacted.hash:
            roster = self.store.roster(enacted.charter.roster)
            if roster is None:
                raise StoreError("the vault does not hold the roster of the charter in force; enter the charter again")
            lines = charters.parse_roster(roster)
            self._rules = Rules(enacted, asks.readers(lines), Gate(enacted.charter, lines))
        return self._rules

    def look(self) -> None:
        """Look for the rules now: they stay until the next look. For a room that many ask of in one loop, which looks every few milliseconds."""
        self._steady = False
        self.rules()
        self._steady = True

    @contextmanager
    def steady(self) -> Iterator[None]:
        """Within, the rules are looked for once, and stay: for what is short, and done by many steps."""
        self._rules = self.rules()
        self._steady = True
        try:
            yield
        finally:
            self._steady = False

    def holding(self, name: str) -> int:
        """The store's number of a declared holding. Raises ``InputError``."""
        declared = self.rules().charter.holdings
        if name not in declared:
            raise InputError(f"the charter has no holding {name}; it has: {', '.join(sorted(declared))}")
        found = self._numbers.get(name)
        if found is None:  # a holding's number is never another's
            found = self._numbers[name] = self.store.add_holding(self.keys.holding(name).holding, name)
        return found

    def private_sealer(self) -> PrivateSealer:
        """What evidence is sealed with now: under one secret for a minute, so that little of what is stored opens by what memory has."""
        auditor, now = self.rules().charter.auditor, self._clock()
        if self._sealer is None or self._sealer[0] != auditor or not 0 <= now - self._sealer[1] < _SEALER_SECONDS:
            self._sealer = auditor, now, PrivateSealer(auditor, self.keys.room, self.random)
        return self._sealer[2]

    def enter_charter(self, document: bytes, roster: bytes, signature: bytes, steward: bytes) -> int:
        """Have a signed charter written into the ledger. Returns its entry's index. Raises ``Refused`` (``charter``)."""
        known = self.common()
        request = protocol.EnterCharter(
            **known, document=document.decode(), roster=roster.decode(), signature=signature, steward=steward
        )
        self.store.put_roster(charters.roster_hash(roster), roster)
        answer = protocol.written.parse(self.client.call("/v1/charter", request))
        return self.settle(answer.receipt, answer.entries, known["have"])

    def settle(self, receipt: str, entries: Sequence[str], have: int) -> int:
        """Take an answer's ledger part into the mirror and verify the receipt against it. Returns the entry's index.

        Raises ``LedgerError`` of the kind that is wrong: then nothing that came with it may be used.
        """
        found = proof.parse(receipt)
        at = self.mirror.accept(found.checkpoint, entries, have, self.fetch)
        check_index(found.index, have, at.size)
        proof.verify(found, self.mirror.entry(found.index), [note.verifier(self.anchors.log)])
        return found.index


def check_index(index: int, have: int, size: int) -> None:
    """An entry from before the request is of something else, however well it is proved. Raises ``ProofError``."""
    if not have <= index < size:
        raise ProofError(f"the receipt is of entry {index}; want one from {have} on, below {size}")
