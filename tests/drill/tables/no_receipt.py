"""What must go wrong in the drill no-receipt when the room is weakened in one point."""

from __future__ import annotations

from tests.drill.weak import keyholder, share, vault
from tests.drill.weak.base import Row

WEAK: list[Row] = [
    ("vault's signature", keyholder.any_signer("vault"), ("request without", "request signed by", "request altered", "request sent to")),
    ("closed requests", keyholder.any_members, ("request with a member",)),
    ("columns", keyholder.any_columns, ("columns of", "slots out of order")),
    ("clock", keyholder.any_clock, ("clock set back", "clock set ahead")),
    ("ask", keyholder.any_ask, ("ask in a second form", "ask for another action")),
    ("room", keyholder.unchecked("room"), ("ask for another room",)),
    ("reader", keyholder.any_reader, ("device that is not",)),
    ("signature", keyholder.unchecked("signature"), (
        "ask without signature", "ask with a forged", "ask of one reader", "signature of another", "records changed", "purpose changed",
    )),
    ("used", keyholder.unchecked("used"), ("ask used again, other key", "ask used again, other rec", "same request", "ask tried again")),
    ("fresh", keyholder.unchecked("fresh"), ("ask dated", "ask held back", "intake after")),
    ("charter", keyholder.unchecked("charter"), ("ask under an old charter",)),
    ("steward", keyholder.any_charter, ("charter of the intruder's own",)),
    ("purpose", keyholder.permitted("purpose"), ("purpose that does not exist", "purpose that does not disclose")),
    ("role", keyholder.permitted("role"), ("purpose of another role",)),
    ("unit", keyholder.permitted("unit"), ("purpose of another unit",)),
    ("holding", keyholder.permitted("holding"), ("holding that is not",)),
    ("field", keyholder.permitted("field"), ("field that is not", "find by an identifier")),
    ("fields", keyholder.unchecked("fields"), ("intake of an identifier",)),
    ("compartment", keyholder.unchecked("compartment"), ("compartment beside", "compartment instead")),
    ("record", keyholder.unchecked("record"), ("other record", "record beside", "record of the ask", "record in two")),
    ("frozen", keyholder.unchecked("frozen"), ("room frozen", "holding frozen", "reader frozen")),
    ("erased", keyholder.unchecked("erased"), ("record that was erased",)),
    ("epoch", keyholder.any_epoch, ("epoch without",)),
    ("batch", keyholder.any_batch, ("batch secret altered", "batch secret of another")),
    ("budgets", keyholder.unchecked("budgets"), ("more records", "one record more", "intake of more", "intake on")),
    ("operator", keyholder.any_signer("operator"), ("vault in the operator's",)),
    ("desk", keyholder.any_signer("desk"), ("vault in the desk's",)),
    ("subject", keyholder.any_subject, ("reader in a subject's",)),
    ("share bound to who", share.unbound_who, ("slot relabelled",)),
    ("share bound to handle", share.unbound("handle"), ("slot under another record's",)),
    ("share bound to version", share.unbound("version"), ("slot under another version",)),
    ("share bound to compartment", share.unbound("compartment"), ("slot under another compartment",)),
    ("receipt wanted", vault.any_receipt, ("no receipt",)),
    ("receipt's proof", vault.any_proof, ("receipt with a hash",)),
    ("log's signature", vault.any_log, ("receipt signed by",)),
    ("receipt's entry", vault.any_entry, (
        "receipt of another entry", "receipt of an earlier", "receipt of another ask", "receipt of an entry with other comp", "receipt of an entry with another count",
        "receipt of an entry with fewer",
    )),
    ("mirror's roots", vault.any_checkpoint, ("receipt in a forked", "receipt in a shortened", "receipt without its entry")),
    ("commitment", vault.any_commitment, ("shares of other slots",)),
    ("answer's request", vault.any_request, ("answer to another",)),
]  # fmt: skip
