"""A published ledger of which one file is the attacker's (SPEC.md sections 5.6 and 5.7).

An input is ``PATH``, a line feed, and what lies there; everything else is as it was published.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from tests.ledger import made

from fuzz import world
from fuzz.scratch import file
from fuzz.target import Broken, Target, text_of
from strongroom.catalog.charter import charter_hash
from strongroom.client import anchors, certificate, published
from strongroom.client.watch import Watcher
from strongroom.errors import FormatError, InputError, LedgerError, NoteError
from strongroom.keyholder import protocol
from strongroom.ledger import confirm
from strongroom.ledger.audit import audit
from strongroom.ledger.directory import Directory, Fetch, find_tags, prove


def targets() -> list[Target]:
    return [
        Target(
            name="published.file",
            read=_audited,
            errors=LedgerError,
            silent=False,
            seeds=_files,
            of=(audit, confirm.read, find_tags, prove, Directory.hashes, Directory.entries),
            weight=0.01,
        ),
        Target(
            name="published.room",
            read=_room,
            errors=LedgerError,
            silent=False,
            seeds=_files,
            of=(anchors.first_charter,),
            weight=0.02,
        ),
        Target(
            name="published.certificate",
            read=_certificate,
            errors=(FormatError, LedgerError),
            silent=False,
            seeds=lambda: [world.certificate()],
            of=(certificate.verify, certificate.erasures),
            weight=0.05,
        ),
        Target(
            name="published.vkeys",
            read=lambda data: published.verifiers([], [file(data)]),
            errors=(InputError, NoteError),
            silent=False,
            seeds=lambda: [world.ledger().files["vkeys"], b"# the log\n\n" + made.log.vkey.encode() + b"\n"],
            of=(published.verifiers,),
            weight=0.1,
        ),
        Target(
            name="published.watch-state",
            read=lambda data: _watcher(file(data)).remembered(),
            errors=InputError,
            silent=False,
            seeds=lambda: [world.ledger().files["checkpoint"], world.ledger().files["cosigned"]],
            of=(Watcher.remembered,),
            weight=0.1,
        ),
    ]


def _files() -> list[bytes]:
    return [path.encode() + b"\n" + content for path, content in world.ledger().files.items()] + [b"nowhere\n"]


def _fetch(data: bytes) -> Fetch:
    path, _, content = data.partition(b"\n")
    return partial(_get, world.ledger().files | {text_of(path): content})


def _get(files: dict[str, bytes], path: str) -> bytes:
    return files[path]


def _audited(data: bytes) -> None:
    """Whatever one file is, the ledger is refused, or it is the one that was published."""
    fetch = _fetch(data)
    days = [path for path in world.ledger().files if path.startswith("tags/")]
    # Each alone: a person may look up tags, or prove an entry, without an audit before it.
    _refused_or(lambda: find_tags(fetch, world.tags(), days, world.SIZE))
    _refused_or(lambda: prove(fetch, 3))
    found = audit(fetch, made.verifiers, made.ORIGIN)
    if (found.size, found.root) != (world.SIZE, world.ledger().edge.root()):
        raise Broken("another ledger than the signed one was accepted")


def _refused_or(read: Callable[[], object]) -> None:
    with suppress(LedgerError):
        read()


def _room(data: bytes) -> None:
    if anchors.first_charter(_fetch(data), charter_hash(world.document())).room != world.ROOM:
        raise Broken("another room than the one of this first charter")


def _certificate(data: bytes) -> None:
    """Signed anew by the keyholder, so that what it says wrongly comes past the signature."""
    file = certificate._file.parse(data)
    signature = world.message.sign(protocol.certificate_message(file.certificate.encode()))
    again = certificate.marshal(file.certificate, signature, file.entries)
    found = certificate.verify(again, genesis=charter_hash(world.document()))
    if found.charter.room != world.ROOM or not found.records:
        raise Broken("a certificate of another room, or of nothing")


def _watcher(state: Path) -> Watcher:
    return Watcher(state, world.ledger().files.__getitem__, made.verifiers)
