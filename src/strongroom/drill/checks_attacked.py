"""The keyholder's checks, attacked one by one: each request is good but for one thing (SPEC.md section 8.4).

A row's code is the reason for which it must be refused, and no other will do: refused for something else, the check
that was meant may be gone. ``OPENS_NOTHING`` stands where the keyholder answers and the share must fit no record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from strongroom.drill import bad_asks, bad_slots
from strongroom.drill.scene import Outcome, Scene

OPENS_NOTHING = "opens nothing"


@dataclass(frozen=True)
class Row:
    attack: str
    code: str
    make: Callable[[Scene], Outcome]


ROWS = (
    Row("request without the vault's signature", "vault", bad_asks.unsigned),
    Row("request signed by another key", "vault", bad_asks.signed_by_another),
    Row("request altered after signing", "vault", bad_asks.altered),
    Row("request sent to another path", "vault", bad_asks.other_path),
    Row("request with a member renamed", "malformed", bad_asks.member_missing),
    Row("columns of different length", "malformed", bad_asks.columns_apart),
    Row("slots out of order", "malformed", bad_asks.unsorted),
    Row("clock set back an hour", "clock", bad_slots.clock(-3600)),
    Row("clock set ahead an hour", "clock", bad_slots.clock(3600)),
    Row("ask in a second form", "ask", bad_asks.second_form),
    Row("ask for another action", "ask", bad_asks.other_action),
    Row("ask for another room", "room", bad_asks.changed(room=bytes(16))),
    Row("device that is not in the roster", "reader", bad_asks.stranger_asks),
    Row("ask without signature", "signature", bad_asks.no_signature),
    Row("ask with a forged signature", "signature", bad_asks.forged),
    Row("ask of one reader signed by another", "signature", bad_asks.colleague_signs),
    Row("signature of another ask", "signature", bad_asks.signature_of_another_ask),
    Row("records changed after signing", "signature", bad_asks.other_records_after_signing),
    Row("purpose changed after signing", "signature", bad_asks.other_purpose_after_signing),
    Row("ask used again, other key for the answer", "used", bad_asks.again),
    Row("ask used again, other records", "used", bad_asks.again_for_others),
    Row("same request again after 121 s", "used", bad_asks.replayed),
    Row("ask tried again after a refusal", "used", bad_asks.after_refusal),
    Row("ask dated 31 s ahead", "early", bad_asks.early),
    Row("ask held back for 121 s", "stale", bad_asks.late),
    Row("ask under an old charter", "charter", bad_asks.old_charter),
    Row("charter of the intruder's own", "charter", bad_asks.own_charter),
    Row("purpose that does not exist", "purpose", bad_asks.changed(purpose="curiosity")),
    Row("purpose that does not disclose", "purpose", bad_asks.by("rui", purpose="register")),
    Row("purpose of another role", "role", bad_asks.by("rui")),
    Row("purpose of another unit", "unit", bad_asks.by("cleo")),
    Row("holding that is not the purpose's", "holding", bad_asks.changed(holding="patients")),
    Row("field that is not the purpose's", "field", bad_asks.changed(fields=["address"])),
    Row("find by an identifier that is none", "field", lambda scene: scene.ask(scene.intruder.find(scene.find(kind="email"), scene.inners(1)[0]))),
    Row("compartment beside the asked one", "compartment", bad_slots.compartment_beside),
    Row("compartment instead of the asked one", "compartment", bad_slots.compartment_instead),
    Row("other record than the asked one", "record", bad_slots.other_record),
    Row("record beside the asked one", "record", bad_slots.record_beside),
    Row("record of the ask left out", "record", bad_slots.record_left_out),
    Row("record in two versions", "record", bad_slots.two_versions),
    Row("room frozen by its operator", "frozen", bad_slots.frozen("room")),
    Row("holding frozen by its operator", "frozen", bad_slots.frozen("holding:residents")),
    Row("reader frozen by its operator", "frozen", bad_slots.frozen("reader")),
    Row("record that was erased", "erased", bad_slots.erased),
    Row("epoch without a key", "epoch", bad_slots.no_epoch),
    Row("batch secret altered", "batch", bad_slots.batch_altered),
    Row("batch secret of another holding", "batch", bad_slots.batch_of_another_holding),
    Row("more records than the budget ever holds", "budget", bad_slots.too_many_at_once),
    Row("one record more than the budget holds", "budget", bad_slots.one_too_many),
    Row("intake of more than was signed", "budget", bad_slots.window_too_small),
    Row("intake on after the window is used up", "budget", bad_slots.window_used_up),
    Row("intake after the window's end", "stale", bad_slots.window_over),
    Row("intake of an identifier that is none", "field", bad_slots.window_of_another_kind),
    Row("vault in the operator's place", "operator", bad_slots.as_operator),
    Row("vault in the desk's place", "desk", bad_slots.as_desk),
    Row("reader in a subject's place", "device", bad_slots.as_subject),
    Row("slot relabelled to another person", OPENS_NOTHING, bad_slots.relabelled),
    Row("slot under another record's handle", OPENS_NOTHING, bad_slots.other_handle),
    Row("slot under another version", OPENS_NOTHING, bad_slots.other_version),
    Row("slot under another compartment", OPENS_NOTHING, bad_slots.other_compartment),
)  # fmt: skip
