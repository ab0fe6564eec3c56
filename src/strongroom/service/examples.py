"""An example for each call, which the OpenAPI document shows. The asks are signed, by a device that is everybody's."""

from __future__ import annotations

from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.api import facts, problem, reads, writes
from strongroom.canonical import encode
from strongroom.client.device import Asker, Device, SignedAsk
from strongroom.gate import ask as asks
from strongroom.ledger import proof
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.note import Signer

_NOW = 1_795_430_400
_HANDLE = "5f1cab77d0e2493c8e5b0d8f61f0a3e2"
_OTHER = "9b0d3e5a7c2148f6a1b2c3d4e5f60718"
_HANDLES = [bytes.fromhex(_HANDLE), bytes.fromhex(_OTHER)]
_HASH = "3c" * 32
_CASE, _REASON = "R-2031", "applies for a permit at the desk"
_ENTRY = 1204


class _Asking:
    """Whatever is drawn is drawn alike each time."""

    def __init__(self) -> None:
        device = Device("example", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
        self.reader = device.reader
        self._asker = Asker(device, b"\x01" * 16, b"\x3c" * 32, lambda size: b"\x5a" * size)

    def evidence(self, action: str, *given: Any) -> asks.Evidence:
        signed: SignedAsk = getattr(self._asker, action)("residents", *given, _CASE, _REASON, _NOW)
        return asks.Evidence(
            ask=signed.text.decode(),
            countersignatures=[],
            private=encode(signed.private).decode(),
            signature=signed.signature,
        )


def _receipt() -> str:
    name = "riverton.example/ledger"
    text = Checkpoint(name, _ENTRY + 1, b"\x21" * 32).marshal()
    line = Signer(name, Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))).sign(text)
    return proof.Proof(_ENTRY, (b"\x8a" * 32, b"\x40" * 32), f"{text}\n{line}").marshal()


def made() -> tuple[dict[str, msgspec.Struct], dict[str, list[msgspec.Struct]]]:
    """(route -> what is sent), (route -> what is answered: one message, or the lines)."""
    a, receipt = _Asking(), _receipt()
    erase = a.evidence("erase", "erase", _HANDLES[:1])
    intake = a.evidence("intake", "register", 2, _NOW + 3600)
    charter = facts.Charter(version=3, hash=_HASH, entry=871, effective=_NOW, document='{"v":1,"version":3}')
    sent: dict[str, msgspec.Struct] = {
        "find": a.evidence("find", "confirm", "phone", "+86 138 0013 8000"),
        "disclose": a.evidence("disclose", "confirm", _HANDLES, ["born", "name"]),
        "check": a.evidence("check", "confirm-age", _HANDLES[:1], "born", "adult", None),
        "correct": writes.Correction(
            ask=a.evidence("correct", "amend", _HANDLES[:1], {"phone": "+86 138 0013 8001"}), intake=intake
        ),
        "erase": erase,
        "store": writes.Records(
            ask=intake, records=[{"id-number": "11010519491231002X", "name": "Li Na", "phone": None}]
        ),
        "export": writes.Export(ask=a.evidence("export", "extract", ["name"], 40, _NOW + 3600), records=[_HANDLE]),
    }
    answered: dict[str, list[msgspec.Struct]] = {
        "find": [reads.Found(records=[_HANDLE], entry=_ENTRY, receipt=receipt)],
        "disclose": [
            reads.Disclosed(
                records=[
                    reads.Disclosure(handle=_HANDLE, fields={"born": "1949", "name": "Li Na"}),
                    reads.Disclosure(handle=_OTHER, fields={"born": None, "name": "Wang Fang"}),
                ],
                entry=_ENTRY,
                receipt=receipt,
            )
        ],
        "check": [reads.Checked(records=[reads.Checks(handle=_HANDLE, answer=True)], entry=_ENTRY, receipt=receipt)],
        "correct": [
            writes.Corrected(
                records=[writes.Version(handle=_HANDLE, version=2)], entry=_ENTRY, receipt=receipt, indexed=[_ENTRY - 1]
            )
        ],
        "erase": [writes.Erased(records=[_HANDLE], final="2027-02-14", entry=_ENTRY, receipt=receipt)],
        "store": [writes.Stored(records=[_HANDLE], entries=[_ENTRY], receipt=receipt)],
        "store-lines": [
            writes.StoredBatch(rows=[1], records=[_HANDLE], entries=[_ENTRY], receipt=receipt),
            writes.LeftOut(
                rows=[problem.Row(row=2, field="id-number", reason="is missing, and the field is required")]
            ),
            writes.RecordsEnd(stored=1, left_out=1),
        ],
        "export": [
            writes.Exported(handle=_HANDLE, fields={"name": "Li Na"}),
            writes.ExportBatch(records=1, entry=_ENTRY, receipt=receipt),
            writes.ExportEnd(records=1, left_out=0, entries=[_ENTRY]),
        ],
        "room": [
            facts.Room(
                id="01" * 16,
                name="riverton.example",
                charter=_HASH,
                genesis="68" * 32,
                log="riverton.example/ledger+da1fd45d+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c",
                ml_dsa="riverton.example/ledger+2b1e73c0+B...",
                vault="riverton.example/ledger/vault+90ad5f11+BPh1...",
                size=_ENTRY + 1,
                time=_NOW,
            )
        ],
        "charter": [charter],
        "charters": [facts.Charters(charters=[charter], next="3")],
        "budgets": [
            facts.Budgets(
                purpose="confirm",
                holding="residents",
                time=_NOW,
                budgets=[facts.Budget(scope="reader", rate="200/hour", left=187)],
            )
        ],
        "receipt": [facts.ReceiptOf(entry=_ENTRY, text='{"type":"disclosure","v":1}', receipt=receipt)],
        "entries": [facts.LedgerEntry(entry=_ENTRY, text='{"type":"disclosure","v":1}')],
        "retention": [
            facts.Retention(
                holdings=[
                    facts.Holding(
                        name="residents",
                        retention=3650,
                        rotation=90,
                        records=20000,
                        versions=20411,
                        batches={"current": 3},
                        backups="2027-02-14",
                    )
                ]
            )
        ],
        "erasure": [facts.Certificate(certificate='{"certificate":"...","v":1}', final=False)],
    }
    return sent, answered


def problem_example() -> problem.Problem:
    return problem.Problem(
        type=f"{problem.URN}budget",
        title="A budget of the charter is spent",
        status=429,
        code="budget",
        detail="200/hour is spent: 3 asked, 0 left; enough in 54 s",
        entry=_ENTRY,
    )
