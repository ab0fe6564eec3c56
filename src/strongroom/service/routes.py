"""Every call of the vault's, once: what is in this table is served, and documented (SPEC.md section 10.1)."""

from __future__ import annotations

from strongroom.api import facts as f
from strongroom.api import queries as q
from strongroom.api import reads as r
from strongroom.api import writes as w
from strongroom.api.base import Values
from strongroom.gate.ask import Evidence
from strongroom.service import facts, reads, streams, writes
from strongroom.service.call import Route, Stream

_ASK = ("ask", "reader", "signature", "countersign", "charter", "used", "early", "stale", "identity")
_GATE = ("reason", "case", "purpose", "role", "unit", "holding", "rule", "frozen")
_HOUSES = ("keyholder", "store", "ledger", "seal")
_READ = (*_ASK, *_GATE, "field", "version", "budget", "erased", "expired", "input", *_HOUSES)
_WRITE = (*_READ, "idempotency", "pending")

_KIB, _MIB = 1 << 10, 1 << 20
_ASK_BYTES = 256 * _KIB  # 1,000 handles in base64 and 256 names, with room to spare

ROUTES: tuple[Route, ...] = (
    Route(
        "find",
        "POST",
        "/v1/finds",
        "Is the person with this identifier here?",
        reads.finds,
        r.Found,
        Evidence,
        most=_ASK_BYTES,
        codes=(*_READ, "value"),
    ),
    Route(
        "disclose",
        "POST",
        "/v1/disclosures",
        "Show these fields of 1 to 1,000 records.",
        reads.disclosures,
        r.Disclosed,
        Evidence,
        most=_ASK_BYTES,
        codes=_READ,
    ),
    Route(
        "check",
        "POST",
        "/v1/checks",
        "Does a test hold of a field of 1 to 1,000 records?",
        reads.checks,
        r.Checked,
        Evidence,
        most=_ASK_BYTES,
        codes=(*_READ, "test", "value"),
    ),
    Route(
        "store",
        "POST",
        "/v1/records",
        "Take in 1 to 10,000 records, all or none; or a stream of them, each that fits.",
        writes.records,
        w.Stored,
        w.Records,
        stream=Stream(streams.records, w.RecordsHead, Values, w.StoredLine),
        most=64 * _MIB,
        status=201,
        writes=True,
        codes=(*_WRITE, "rows"),
    ),
    Route(
        "correct",
        "POST",
        "/v1/corrections",
        "Give fields of records other values.",
        writes.corrections,
        w.Corrected,
        w.Correction,
        most=2 * _MIB,
        writes=True,
        used_once=True,
        codes=(*_WRITE, "value"),
    ),
    Route(
        "erase",
        "POST",
        "/v1/erasures",
        "Open these records never again.",
        writes.erasures,
        w.Erased,
        Evidence,
        most=_ASK_BYTES,
        writes=True,
        used_once=True,
        codes=_WRITE,
    ),
    Route(
        "export",
        "POST",
        "/v1/exports",
        "Take fields of many records out, as lines of JSON.",
        streams.exports,
        w.ExportLine,
        w.Export,
        most=8 * _MIB,
        answers_lines=True,
        codes=_READ,
    ),
    Route("room", "GET", "/v1/room", "Which room this is, and whose keys sign its ledger.", facts.room, f.Room),
    Route("charter", "GET", "/v1/charter", "The charter in force.", facts.charter, f.Charter),
    Route(
        "charters",
        "GET",
        "/v1/charters",
        "Every charter, a page at a time.",
        facts.all_charters,
        f.Charters,
        query=q.Pages,
    ),
    Route(
        "budgets",
        "GET",
        "/v1/budgets",
        "What is left to a reader for a purpose.",
        facts.budgets,
        f.Budgets,
        query=q.Of,
        codes=("identity", "reader", "purpose", "holding", "keyholder"),
    ),
    Route(
        "receipt",
        "GET",
        "/v1/receipts/{entry}",
        "Proof that an entry is in the ledger, under the newest checkpoint that the vault has verified.",
        facts.receipt,
        f.ReceiptOf,
        codes=("not-found",),
    ),
    Route(
        "entries",
        "GET",
        "/v1/entries",
        "The ledger's entries as lines of JSON; a Link header says where to go on.",
        facts.entries,
        f.LedgerEntry,
        query=q.Lines,
        answers_lines=True,
    ),
    Route(
        "retention",
        "GET",
        "/v1/retention",
        "What each holding keeps, how long, and what is due.",
        facts.retention,
        f.Retention,
    ),
    Route(
        "erasure",
        "GET",
        "/v1/erasures/{entry}",
        "The certificate of an erasure, for records of it.",
        facts.erasure,
        f.Certificate,
        query=q.Certified,
        codes=("not-found", "record", "input", "keyholder", "ledger"),
    ),
)
