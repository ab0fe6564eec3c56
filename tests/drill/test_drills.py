"""Each drill passes on the honest room and fails on one weakened in just one point.

``WEAK`` names for each weakening the attacks that must then fail. The last test holds that every attack of every drill
stands in it: an attack that nothing can make fail is a defect of the drill.
"""

from __future__ import annotations

import pytest
from tests.drill import weak
from tests.drill.conftest import Drill, failed
from tests.drill.weak import Weaken

from strongroom.drill import guessing, vault_taken_over
from strongroom.drill.drills import DRILLS, chosen
from strongroom.drill.report import Report
from strongroom.errors import InputError

SEARCH = "search"
SIZES, ORDER, EQUAL = "guess values by sealed sizes", "order records by", "compare w, nonces"
LINKS, GUESSES, OPEN = "find patients", "test 1,000 guessed", "open compartments"

REWRITTEN = (
    "an entry dropped", "an entry dropped, and another", "an entry dropped, and the book", "an entry's purpose", "an entry's tag",
    "two entries exchanged", "the last two entries cut off", "the last two cut off", "forked", "begun anew",
)  # fmt: skip

# Where the book is shorter than the mirror, the receipt does not fit the mirror's own entry either.
GROWN = tuple(attack for attack in REWRITTEN if attack not in ("an entry dropped", "the last two entries cut off"))

# (drill, name, weakening, beginnings of the attacks that must fail)
WEAK: list[tuple[str, str, Weaken, tuple[str, ...]]] = [
    ("stolen-disk", "plaintext left in the store", weak.plaintext_left, (SEARCH,)),
    ("stolen-disk", "no padding", weak.no_padding, (SIZES,)),
    ("stolen-disk", "a token for each value only", weak.fewer_tokens, (SIZES,)),
    ("stolen-disk", "one token for no value", weak.one_token_for_no_value, (EQUAL,)),
    ("stolen-disk", "handles in the file's order", weak.handles_in_order, (ORDER,)),
    ("stolen-disk", "one key and commitment for all", weak.one_key, (EQUAL,)),
    ("stolen-disk", "nonces counted", weak.nonces_counted, (LINKS,)),
    ("stolen-disk", "mask not applied", weak.no_mask, (GUESSES,)),
    ("stolen-disk", "one mask for a batch", weak.unbound("handle"), (GUESSES,)),
    ("stolen-disk", "tokens unkeyed", weak.no_index_key, (GUESSES,)),
    ("stolen-disk", "batch secret known", weak.known_batch_secret, (OPEN,)),
    ("stolen-disk", "batch secret written down", weak.batch_secret_kept, (OPEN,)),
    ("vault-taken-over", "budgets not debited", weak.unchecked("budgets"), ("read all", "test guesses")),
    ("vault-taken-over", "asks not used up", weak.unchecked("used"), ("use an ask twice", "ask the keyholder for another")),
    ("vault-taken-over", "identical request answered for ever", weak.identical_for_ever, ("use an ask again",)),
    ("vault-taken-over", "records not compared", weak.unchecked("record"), ("open other records", "open further records")),
    ("vault-taken-over", "compartments not compared", weak.unchecked("compartment"), ("open further compartments",)),
    ("vault-taken-over", "share not bound to handle", weak.unbound("handle"), ("open one person's record",)),
    ("vault-taken-over", "share not bound to who", weak.unbound_who, ("open one person's record",)),
    ("vault-taken-over", "share not bound to compartment", weak.unbound("compartment"), ("use an ask as its reader",)),
    ("vault-taken-over", "signatures not verified", weak.unchecked("signature"), ("sign in a reader's place",)),
    ("vault-taken-over", "asks never too old", weak.unchecked("fresh"), ("keep an ask",)),
    ("vault-taken-over", "tags of nobody", weak.tags_of_nobody, ("be read nowhere", "ask the keyholder for another")),
    ("vault-taken-over", "a share told in the status", weak.share_in_status, ("find a share in",)),
    ("vault-taken-over", "operator not verified", weak.any_signer("operator"), ("be the steward",)),
    ("no-receipt", "vault's signature", weak.any_signer("vault"), ("request without", "request signed by", "request altered", "request sent to")),
    ("no-receipt", "closed requests", weak.any_members, ("request with a member",)),
    ("no-receipt", "columns", weak.any_columns, ("columns of", "slots out of order")),
    ("no-receipt", "clock", weak.any_clock, ("clock set back", "clock set ahead")),
    ("no-receipt", "ask", weak.any_ask, ("ask in a second form", "ask for another action")),
    ("no-receipt", "room", weak.unchecked("room"), ("ask for another room",)),
    ("no-receipt", "reader", weak.any_reader, ("device that is not",)),
    ("no-receipt", "signature", weak.unchecked("signature"), (
        "ask without signature", "ask with a forged", "ask of one reader", "signature of another", "records changed", "purpose changed",
    )),
    ("no-receipt", "used", weak.unchecked("used"), ("ask used again, other key", "ask used again, other rec", "same request", "ask tried again")),
    ("no-receipt", "fresh", weak.unchecked("fresh"), ("ask dated", "ask held back", "intake after")),
    ("no-receipt", "charter", weak.unchecked("charter"), ("ask under an old charter",)),
    ("no-receipt", "steward", weak.any_charter, ("charter of the intruder's own",)),
    ("no-receipt", "purpose", weak.permitted("purpose"), ("purpose that does not exist", "purpose that does not disclose")),
    ("no-receipt", "role", weak.permitted("role"), ("purpose of another role",)),
    ("no-receipt", "unit", weak.permitted("unit"), ("purpose of another unit",)),
    ("no-receipt", "holding", weak.permitted("holding"), ("holding that is not",)),
    ("no-receipt", "field", weak.permitted("field"), ("field that is not", "find by an identifier")),
    ("no-receipt", "kinds", weak.unchecked("kinds"), ("intake of an identifier",)),
    ("no-receipt", "compartment", weak.unchecked("compartment"), ("compartment beside", "compartment instead")),
    ("no-receipt", "record", weak.unchecked("record"), ("other record", "record beside", "record of the ask", "record in two")),
    ("no-receipt", "frozen", weak.unchecked("frozen"), ("room frozen", "holding frozen", "reader frozen")),
    ("no-receipt", "erased", weak.unchecked("erased"), ("record that was erased",)),
    ("no-receipt", "epoch", weak.any_epoch, ("epoch without",)),
    ("no-receipt", "batch", weak.any_batch, ("batch secret altered", "batch secret of another")),
    ("no-receipt", "budgets", weak.unchecked("budgets"), ("more records", "one record more", "intake of more", "intake on")),
    ("no-receipt", "operator", weak.any_signer("operator"), ("vault in the operator's",)),
    ("no-receipt", "desk", weak.any_signer("desk"), ("vault in the desk's",)),
    ("no-receipt", "subject", weak.any_subject, ("reader in a subject's",)),
    ("no-receipt", "share bound to who", weak.unbound_who, ("slot relabelled",)),
    ("no-receipt", "share bound to handle", weak.unbound("handle"), ("slot under another record's",)),
    ("no-receipt", "share bound to version", weak.unbound("version"), ("slot under another version",)),
    ("no-receipt", "share bound to compartment", weak.unbound("compartment"), ("slot under another compartment",)),
    ("no-receipt", "receipt wanted", weak.any_receipt, ("no receipt",)),
    ("no-receipt", "receipt's proof", weak.any_proof, ("receipt with a hash",)),
    ("no-receipt", "log's signature", weak.any_log, ("receipt signed by",)),
    ("no-receipt", "receipt's entry", weak.any_entry, (
        "receipt of another entry", "receipt of an earlier", "receipt of another ask", "receipt of an entry with other comp", "receipt of an entry with another count",
        "receipt of an entry with fewer",
    )),
    ("no-receipt", "mirror's roots", weak.any_checkpoint, ("receipt in a forked", "receipt in a shortened", "receipt without its entry")),
    ("no-receipt", "commitment", weak.any_commitment, ("shares of other slots",)),
    ("no-receipt", "answer's request", weak.any_request, ("answer to another",)),
    ("rewritten-ledger", "mirror compares no roots", weak.any_checkpoint, GROWN),
    ("rewritten-ledger", "watcher compares nothing", weak.any_growth_for_watchers, REWRITTEN),
    ("rewritten-ledger", "subject compares nothing", weak.any_growth_for_subjects, (*REWRITTEN, "one book for the vault", "a fork for one person")),
    ("rewritten-ledger", "subject wants no word of the vault", weak.no_confirmation, ("a fork for one person",)),
    ("rewritten-ledger", "auditor builds no tree", weak.any_tiles, ("files of the public copy",)),
    ("hidden-read", "gaps not looked for", weak.blind_to("missing"), (
        "the entry withheld, the count true", "the last entry withheld", "the entry withheld, the count one", "the entry without", "the count one more",
    )),
    ("hidden-read", "nothing past the count looked for", weak.short_sight, ("the count one less", "the count none")),
    ("hidden-read", "nothing past the count seen", weak.blind_to("beyond"), ("the count one less", "the entry withheld, the count one")),
    ("hidden-read", "numbers given twice not seen", weak.blind_to("repeated"), ("the entry written a second",)),
    ("hidden-read", "statement's device not compared", weak.statement_for("device", lambda _: weak.Same()), ("the statement about another device",)),
    ("hidden-read", "statement's size not compared", weak.statement_for("size", weak.SameNumber), ("the statement about another size",)),
    ("hidden-read", "statement not verified", weak.any_statement, ("a statement signed by",)),
    ("hidden-read", "vault's word of any book", weak.any_confirmation, ("a fork shown to them alone, beside",)),
    ("hidden-read", "vault's word by anybody", weak.any_cosigner, ("a fork shown to them alone, cosigned",)),
    ("hidden-read", "no word of the vault wanted", weak.no_confirmation, ("a fork shown to them alone, without",)),
    ("hidden-read", "statement's time not compared", weak.any_age, ("an old statement",)),
    ("hidden-read", "day files not compared", weak.any_day, ("the tag left out",)),
    ("hidden-read", "share bound to neither handle nor who", weak.unbound_share(who=True, handle=True), ("their slot under", "their record stored")),
    ("hidden-read", "share not bound to who", weak.unbound_who, ("their slot put down", "their slot with a mask")),
]  # fmt: skip


@pytest.mark.parametrize("name", DRILLS)
def test_passes_on_the_honest_room(drill: Drill, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guessing, "GUESSES", 100_000)
    monkeypatch.setattr(vault_taken_over, "HOURS", 30)
    report = drill(name)
    assert report.passed, report.verdict
    assert report.tried >= len(report.findings)


@pytest.mark.parametrize(
    ("name", "weakening", "attacks"), [(d, w, a) for d, _, w, a in WEAK], ids=[f"{d}: {n}" for d, n, _, _ in WEAK]
)
def test_fails_on_a_weakened_room(
    drill: Drill, monkeypatch: pytest.MonkeyPatch, name: str, weakening: Weaken, attacks: tuple[str, ...]
) -> None:
    with monkeypatch.context() as patch:
        weakening(patch)
        report = drill(name)
    assert not report.passed
    for attack in attacks:
        assert any(one.startswith(attack) for one in failed(report)), f"{attack} ... passed; failed: {failed(report)}"


@pytest.mark.parametrize("name", DRILLS)
def test_every_attack_can_fail(drill: Drill, name: str) -> None:
    known = [attack for drill_name, _, _, attacks in WEAK if drill_name == name for attack in attacks]
    missing = [
        one.attack
        for one in drill(name).findings
        if not one.attack.endswith("(the control)") and not any(one.attack.startswith(attack) for attack in known)
    ]
    assert not missing


def test_a_drill_that_tried_nothing_fails() -> None:
    assert not Report("none", "").passed
    report = Report("none", "")
    report.add("an attack that was never made", 0, "nothing", "nothing", passed=True)
    assert not report.passed


def test_unknown_drill() -> None:
    with pytest.raises(InputError, match="stolen-disk"):
        chosen(["stolen-car"])
