"""What a room's client is told by a vault that may be anybody: answers, pages, lines, problems; and the files and addresses that it is
given (SPEC.md sections 9, 10.1, 10.2, 10.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from fuzz.scratch import file
from fuzz.target import Target, text_of
from strongroom.api import facts, reads, writes
from strongroom.api.problem import MEDIA_TYPE, Problem, Row
from strongroom.canonical import encode
from strongroom.client import address, anchors, enrolments, messages, problems
from strongroom.client.anchors import Anchors
from strongroom.client.flow import Answer
from strongroom.client.handle import Handle
from strongroom.errors import InputError, StrongroomError
from strongroom.keyholder.protocol import Enrolled
from strongroom.ledger import key

_HANDLE = "ab" * 16
_LOG = key.vkey("t/ledger", key.ED25519, bytes(32))


def targets() -> list[Target]:
    return [
        Target(
            name="client.address",
            read=lambda data: address.parse(text_of(data)),
            errors=InputError,
            seeds=lambda: [b"https://vault.example:8443/room", b"http://127.0.0.1:7300", b"http://[::1]:1/"],
            of=(address.parse,),
        ),
        Target(
            name="client.anchors",
            read=lambda data: anchors.load(file(data)),
            errors=InputError,
            seeds=lambda: [encode(Anchors(genesis=bytes(32), log=_LOG, room=bytes(16))) + b"\n"],
            of=(anchors.load,),
        ),
        Target(
            name="client.enrolments",
            read=lambda data: enrolments.load(file(data, "device.enrolled").with_name("device")),
            errors=InputError,
            seeds=lambda: [encode([Enrolled(chain=bytes(32), holding="residents", kind="phone")])],
            of=(enrolments.load,),
        ),
        Target(
            name="client.handle",
            read=lambda data: Handle(text_of(data)),
            write=lambda found: str(found).encode(),
            errors=InputError,
            seeds=lambda: [_HANDLE.encode()],
            of=(Handle.__new__,),
        ),
        _answers("found", messages.found, reads.Found(records=[_HANDLE], entry=1, receipt="")),
        _answers(
            "disclosed",
            messages.disclosed,
            reads.Disclosed(
                records=[reads.Disclosure(handle=_HANDLE, fields={"name": "A", "born": None})], entry=1, receipt=""
            ),
        ),
        _answers(
            "checked",
            messages.checked,
            reads.Checked(records=[reads.Checks(handle=_HANDLE, answer=None)], entry=1, receipt=""),
        ),
        _answers("stored", messages.stored, writes.Stored(records=[_HANDLE], entries=[1], receipt="")),
        _answers("receipt", messages.receipt, facts.ReceiptOf(entry=1, text="{}", receipt="")),
        Target(
            name="client.entries",
            read=lambda data: messages.entries(Answer(200, {}, data), 7),
            seeds=lambda: [
                msgspec.json.Encoder().encode_lines([facts.LedgerEntry(entry=at, text="{}") for at in (7, 8)])
            ],
            of=(messages.entries,),
        ),
        Target(
            name="client.export-line",
            read=messages.export_line,
            seeds=lambda: [
                msgspec.json.encode(writes.Exported(handle=_HANDLE, fields={"name": "A"})),
                msgspec.json.encode(writes.ExportBatch(records=1, entry=1, receipt="")),
                msgspec.json.encode(writes.ExportEnd(records=1, left_out=0, entries=[1])),
            ],
            of=(messages.export_line,),
        ),
        Target(
            name="client.problem",
            read=_problem,
            errors=StrongroomError,
            # It says what the vault says, cut and without controls.
            silent=False,
            seeds=lambda: [
                msgspec.json.encode(
                    Problem(
                        type="urn:strongroom:problem:rows",
                        title="t",
                        status=422,
                        code="rows",
                        detail="d",
                        rows=[Row(row=1, field="name", reason="r")],
                    )
                )
            ],
            of=(problems.problem,),
        ),
    ]


def _answers(name: str, read: Callable[[Answer], Any], seed: msgspec.Struct) -> Target:
    return Target(
        name=f"client.{name}",
        read=lambda data: read(Answer(200, {}, data)),
        seeds=lambda: [msgspec.json.encode(seed)],
        of=(read,),
    )


def _problem(data: bytes) -> StrongroomError:
    found = problems.problem(Answer(422, {"content-type": MEDIA_TYPE}, data))
    assert str(found).isprintable()
    assert len(str(found)) < 1000
    return found
