"""A keyholder that has turned: all its keys, and a ledger rewritten at its pleasure and signed anew."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from strongroom.canonical import encode
from strongroom.client import subject
from strongroom.client.device import Device
from strongroom.drill.stage import Stage
from strongroom.errors import KeyholderUnavailable
from strongroom.gate import ask as asks
from strongroom.keyholder import protocol
from strongroom.keyholder.client import Client, Transport
from strongroom.keyholder.core import Keyholder
from strongroom.keyholder.epochs import sealed_batches
from strongroom.ledger import confirm, entry, note, tile, tree
from strongroom.ledger.cosignature import Cosigner
from strongroom.ledger.directory import Fetch
from strongroom.ledger.note import Verifier, verifier
from strongroom.seal import hpke, slot
from strongroom.seal.columns import u16s, u32s

Rewrite = Callable[[list[bytes]], list[bytes]]
Restate = Callable[[protocol.ReadsInner, protocol.Statement], tuple[protocol.ReadsInner, protocol.Statement]]


class FalseKeyholder:
    """A copy of the stage's keyholder at ``directory`` whose entries were passed through ``rewrite``; its own public files.

    It answers a vault and subjects as the true one would, but out of its own book, and without asking what the vault holds. Beside
    that it shows the vault's true word of the true book, or, when ``helped``, that of a vault which has turned too.
    """

    def __init__(self, stage: Stage, directory: Path, rewrite: Rewrite, *, helped: bool = False) -> None:
        self.stage = stage
        shutil.copytree(stage.root / "keyholder", directory / "keyholder")
        self.public = directory / "public"
        self.public.mkdir()
        self.keyholder = stage.open_keyholder(directory / "keyholder", self.public)
        self._replace(rewrite([item.encode() for item in self.keyholder.book.entries(0, 10**6)]))
        self.publish()
        if helped:
            self.vouch(stage.room.keys.cosigner)
        else:
            shutil.copy(stage.root / "public" / confirm.PATH, self.public)

    def vouch(self, cosigner: Cosigner) -> None:
        """Publish that ``cosigner`` has confirmed this book."""
        text = note.parse_note(self.keyholder.book.note).text
        line = cosigner.cosign(text, self.stage.room.now())
        (self.public / confirm.PATH).write_text(self.keyholder.book.note + line)

    def close(self) -> None:
        self.keyholder.store.close()

    def _replace(self, entries: Sequence[bytes]) -> None:
        store = self.keyholder.store
        with store.transaction():
            store.db.execute("DELETE FROM entries")
            store.db.execute("DELETE FROM tiles")
            store.add_entries(0, entries)
            store.put_tiles(tile.append(lambda level, n: b"", 0, [tree.leaf_hash(one) for one in entries]))
            store.db.execute(
                "DELETE FROM state WHERE key IN ('published', 'published_size', 'cosigned', 'cosignature')"
            )
        self.keyholder.book.reset()

    def publish(self) -> None:
        now = self.stage.room.now()
        plain = protocol.Plain(have=0, root=tree.EMPTY_ROOT, time=now, cosignature="")
        self.keyholder.ask("/v1/publish", *self._signed("/v1/publish", plain))

    def _signed(self, path: str, request: protocol.Plain) -> tuple[bytes, bytes]:
        # It need not ask the vault to sign this: it is its own program. The stage's key saves the drill a second door.
        body = encode(request)
        return protocol.sign_request(self.stage.room.keys.room, path, body, self.stage.room.keys.message), body

    def append(self, item: entry.Entry) -> int:
        """Write an entry as if it had been decided on."""
        with self.keyholder.store.transaction():
            index = self.keyholder.book.stage(item)
            self.keyholder.book.flush()
        self.keyholder.book.sign()
        return index

    # --- what it says --------------------------------------------------------------------------------------------------
    def __call__(self, path: str, signature: bytes, body: bytes) -> bytes:
        request: Any = protocol.REQUESTS[path].parse(body)
        book = self.keyholder.book
        if isinstance(request, protocol.Entries):
            return encode(protocol.Tail(checkpoint=book.note, entries=book.entries(request.start, request.limit)))
        if isinstance(request, protocol.Disclose):
            return self._disclose(request, body)
        if path.startswith("/v1/subject/"):
            return encode(self.keyholder.ask(path, signature, body))
        raise KeyholderUnavailable("the false keyholder has no more to say")

    def _disclose(self, request: protocol.Disclose, body: bytes) -> bytes:
        ask = asks.parse(request.ask.encode())
        item = entry.DisclosureEntry(
            v=1, time=self.stage.room.now(), asker=bytes(12), charter=ask.charter, commitment=asks.ask_hash(encode(ask)),
            holding=ask.holding, purpose=ask.purpose, role="clerk", unit="registry",
            compartments=sorted(set(u16s(request.compartments))), count=len(set(slot.split(request.handles, 16))),
            tags=[os.urandom(16)], countersigners=[],
        )  # fmt: skip
        receipt = self.keyholder.book.receipt(self.append(item))
        entries = self.keyholder.book.entries(request.have, protocol.MAX_TAIL)
        return sealed_shares(self.keyholder, request, receipt, shares_of(self.keyholder, request), entries, body)

    def lying(self, restate: Restate) -> Transport:
        """A transport that lets it change its signed word to a subject before it is sealed."""

        def transport(path: str, signature: bytes, body: bytes) -> bytes:
            request = protocol.REQUESTS[path].parse(body)
            assert isinstance(request, protocol.Reads)
            said, statement = restate(*self._would_say(request))
            text = encode(statement)
            signed = self.keyholder.keys.message.sign(protocol.statement_message(text))
            inner = protocol.ReadsInner(
                chains=said.chains, checkpoint=said.checkpoint, signature=signed, statement=text.decode()
            )
            info = protocol.reads_info(self.keyholder.room, body)
            return encode(protocol.SealedReads(sealed=hpke.encrypt(request.fresh, info, encode(inner))))

        return transport

    def _would_say(self, request: protocol.Reads) -> tuple[protocol.ReadsInner, protocol.Statement]:
        device = next(one for one in subjects(self.stage) if one.public == request.device)
        said = ask_reads(self.stage, device, self)
        return said, protocol.statement.parse(said.statement.encode())


# --- shares, resealed --------------------------------------------------------------------------------------------------
def shares_of(keyholder: Keyholder, request: protocol.Disclose) -> tuple[list[bytes], bytes]:
    """The persons and the shares (one joined column) that a request's slots have."""
    batches = sealed_batches(request.batches, request.epochs, request.expires, request.members)
    secrets = [keyholder.secret("residents", one) for one in batches]
    numbers, versions = u16s(request.compartments), u32s(request.versions)
    return slot.release(
        secrets, u16s(request.batch), request.handles, versions, numbers, request.masked, request.deltas
    )


def sealed_shares(
    keyholder: Keyholder,
    request: protocol.Disclose,
    receipt: str,
    given: tuple[Sequence[bytes], bytes],
    entries: list[str],
    sealed_for: bytes,
) -> bytes:
    """An answer of the keyholder's that says just this. ``given``: the slots' persons and their shares."""
    inner = encode(protocol.Shares(receipt=receipt, shares=given[1], whos=b"".join(given[0])))
    info = protocol.answer_info(keyholder.room, sealed_for)
    return encode(protocol.SealedAnswer(entries=entries, sealed=hpke.encrypt(request.fresh, info, inner)))


# --- those who look ------------------------------------------------------------------------------------------------------
def fetch(public: Path) -> Fetch:
    return lambda path: (public / path).read_bytes()


def public_keys(stage: Stage) -> list[Verifier]:
    """The log's key, its ML-DSA key and the vault's, as every charter names them."""
    keys = stage.keyholder.charter
    return [verifier(text) for text in (keys.keyholder.log, keys.keyholder.ml_dsa, keys.vault.cosigner)]


def subjects(stage: Stage) -> list[Device]:
    return [stage.key_of(path.stem) for path in sorted((stage.root / "people").glob("subject*.device"))]


def ask_reads(stage: Stage, device: Device, transport: Transport | None = None) -> protocol.ReadsInner:
    client = Client(transport or stage.transport, device.key, stage.room.keys.room)
    return subject.ask_reads(client, device, stage.keyholder.room, stage.room.now(), os.urandom)


def view(stage: Stage, device: Device, said: protocol.ReadsInner, look: Fetch) -> subject.View:
    genesis = stage.room.anchors.genesis
    keys, now = public_keys(stage), stage.room.now()
    return subject.verify_reads(said, device, stage.keyholder.room, genesis, look, keys, now)
