"""The keyholder's checks, attacked one by one: each request is good but for one thing (SPEC.md section 8.4).

A row's code is the reason for which it must be refused, and no other will do: refused for something else, the check
that was meant may be gone. ``OPENS_NOTHING`` stands where the keyholder answers and the share must fit no record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from strongroom.drill import bad_asks, bad_doors, bad_lives, bad_seconds, bad_slots, bad_windows
from strongroom.drill.scene import Outcome, Scene

OPENS_NOTHING = "opens nothing"


@dataclass(frozen=True)
class Row:
    """``written``: whether the refusal is an entry; None: as SPEC.md section 8.4 has it for the code, which is an entry from the
    charter on."""

    attack: str
    code: str
    make: Callable[[Scene], Outcome]
    written: bool | None = None


ROWS = (
    Row("request without the vault's signature", "vault", bad_asks.unsigned),
    Row("request signed by another key", "vault", bad_asks.signed_by_another),
    Row("request altered after signing", "vault", bad_asks.altered),
    Row("request sent to another path", "vault", bad_asks.other_path),
    Row("request with a member renamed", "malformed", bad_asks.member_missing),
    Row("columns of different length", "malformed", bad_asks.columns_apart),
    Row("slots out of order", "malformed", bad_asks.unsorted),
    Row("fewer deltas than slots", "malformed", bad_slots.deltas_short),
    Row("clock set back an hour", "clock", bad_doors.clock(-3600)),
    Row("clock set ahead an hour", "clock", bad_doors.clock(3600)),
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
    Row("charter of the intruder's own", "charter", bad_asks.own_charter, written=False),
    Row("purpose that does not exist", "purpose", bad_asks.changed(purpose="curiosity")),
    Row("purpose that does not disclose", "purpose", bad_asks.by("rui", purpose="register")),
    Row("purpose of another role", "role", bad_asks.by("rui")),
    Row("purpose of another unit", "unit", bad_asks.by("cleo")),
    Row("holding that is not the purpose's", "holding", bad_asks.changed(holding="patients")),
    Row("field that is not the purpose's", "field", bad_asks.changed(fields=["address"])),
    Row("question about a field that is not the purpose's", "field", bad_asks.question("name", "matches", 1)),
    Row("question that the purpose does not ask", "test", bad_asks.question("born", "matches", 2)),
    Row("question to open another compartment", "compartment", bad_asks.question("born", "adult", 4)),
    Row("find by an identifier that is none", "field", lambda scene: scene.ask(scene.intruder.find(scene.find(kind="email"), scene.inners(1)[0]))),
    Row("second signature missing", "countersign", bad_seconds.by()),
    Row("second signature by the asker", "countersign", bad_seconds.by("dora")),
    Row("second signature by the asker's own unit", "countersign", bad_seconds.by("emil")),
    Row("second signature by another role", "countersign", bad_seconds.by("ana")),
    Row("second signature where none is wanted", "countersign", bad_seconds.unwanted),
    Row("second signature by a stranger", "countersign", bad_seconds.by_stranger, written=False),
    Row("second signature forged", "countersign", bad_seconds.forged, written=False),
    Row("second signature of another ask", "countersign", bad_seconds.of_another_ask, written=False),
    Row("second signature as one signs an ask", "countersign", bad_seconds.as_asker, written=False),
    Row("second signatures out of order", "countersign", bad_seconds.out_of_order, written=False),
    Row("second signature twice", "countersign", bad_seconds.twice, written=False),
    Row("compartment beside the asked one", "compartment", bad_slots.compartment_beside),
    Row("compartment instead of the asked one", "compartment", bad_slots.compartment_instead),
    Row("other record than the asked one", "record", bad_slots.other_record),
    Row("record beside the asked one", "record", bad_slots.record_beside),
    Row("record of the ask left out", "record", bad_slots.record_left_out),
    Row("record in two versions", "record", bad_slots.two_versions),
    Row("erasure that names one person of two records", "record", bad_lives.erasure_untold),
    Row("intake that tells more than 1,000 persons", "record", bad_windows.too_many_told),
    Row("old version without a purpose for it", "version", bad_lives.old_by_number),
    Row("old version in the newest one's place", "version", bad_lives.old_in_place_of_newest),
    Row("newest version where an old one is asked for", "version", bad_lives.other_than_named),
    Row("room frozen by its operator", "frozen", bad_doors.frozen("room")),
    Row("holding frozen by its operator", "frozen", bad_doors.frozen("holding:residents")),
    Row("reader frozen by its operator", "frozen", bad_doors.frozen("reader")),
    Row("record that was erased", "erased", bad_lives.erased),
    Row("record that was erased, to be erased again", "erased", bad_lives.erased_again),
    Row("epoch without a key", "epoch", bad_lives.no_epoch),
    Row("batch secret altered", "batch", bad_slots.batch_altered),
    Row("batch secret of another holding", "batch", bad_slots.batch_of_another_holding),
    Row("batch under another one's members", "batch", bad_slots.members_of_another_batch),
    Row("batch said to expire later", "batch", bad_slots.later_expiry),
    Row("compartments of one person put down to two", "person", bad_slots.under_two_persons),
    Row("more records than the budget ever holds", "budget", bad_windows.too_many_at_once),
    Row("one record more than the budget holds", "budget", bad_windows.one_too_many),
    Row("intake of more than was signed", "budget", bad_windows.window_too_small),
    Row("intake on after the window is used up", "budget", bad_windows.window_used_up),
    Row("intake after the window's end", "stale", bad_windows.window_over),
    Row("one record asked about for the sixth time", "budget", bad_windows.sixth_question),
    Row("export of more than the purpose may have", "budget", bad_windows.export_past_most),
    Row("export of more than was signed", "budget", bad_windows.export_past_count),
    Row("export on after its count is used up", "budget", bad_windows.export_used_up),
    Row("export after the window's end", "stale", bad_windows.export_over),
    Row("export of a compartment beside", "compartment", bad_windows.export_wider),
    Row("intake of an identifier that is none", "field", bad_windows.window_of_another_kind),
    Row("resealing that keeps quiet about an erased record", "batch", bad_doors.reseal_unnamed, written=False),
    Row("resealing to a key that lives longer", "epoch", bad_doors.reseal_for_longer, written=False),
    Row("proof of a batch under another one's members", "batch", bad_doors.held_by_others, written=False),
    Row("version that never comes, told as the newest", "version", bad_doors.supersede_far, written=False),
    Row("vault in the operator's place", "operator", bad_doors.as_operator),
    Row("vault in the desk's place", "desk", bad_doors.as_desk),
    Row("reader in a subject's place", "device", bad_doors.as_subject),
    Row("slot relabelled to another person", OPENS_NOTHING, bad_slots.relabelled),
    Row("slot under another record's handle", OPENS_NOTHING, bad_slots.other_handle),
    Row("slot under another version", OPENS_NOTHING, bad_slots.other_version),
    Row("slot under another compartment", OPENS_NOTHING, bad_slots.other_compartment),
    Row("slot put into another batch", OPENS_NOTHING, bad_slots.in_another_batch),
    Row("slot with another record's delta", OPENS_NOTHING, bad_slots.delta_of_another),
    Row("slot without its delta", OPENS_NOTHING, bad_slots.delta_left_out),
)  # fmt: skip

LATE = (
    Row("record on the day on which it expires", "expired", bad_lives.expired),
    Row("record past its day, for a hold that there is not", "expired", bad_lives.expired_without_a_hold),
    Row("key on the day on which it is to be destroyed", "epoch", bad_lives.last_day),
    Row("key that was destroyed", "epoch", bad_lives.destroyed),
)
"""These come last: the clock is then past the end of what the others need."""
