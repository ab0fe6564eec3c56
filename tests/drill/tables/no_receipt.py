"""What must go wrong in the drill no-receipt when the room is weakened in one point."""

from __future__ import annotations

from tests.drill.weak import disk, keyholder, share, vault
from tests.drill.weak.base import Row, both

WEAK: list[Row] = [
    ("vault's signature", keyholder.any_signer("vault"), ("request without", "request signed by", "request altered", "request sent to")),
    ("closed requests", keyholder.any_members, ("request with a member",)),
    ("columns", keyholder.any_columns, ("columns of", "slots out of order", "fewer deltas")),
    ("clock", keyholder.any_clock, ("clock set back", "clock set ahead")),
    ("ask", keyholder.any_ask, ("ask in a second form", "ask for another action")),
    ("room", keyholder.unchecked("room"), ("ask for another room",)),
    ("reader", keyholder.any_reader, ("device that is not",)),
    ("signature", keyholder.unchecked("signature"), (
        "ask without signature", "ask with a forged", "ask of one reader", "signature of another", "records changed", "purpose changed",
    )),
    ("used", keyholder.unchecked("used"), ("ask used again, other key", "ask used again, other rec", "same request", "ask tried again")),
    ("fresh", keyholder.unchecked("fresh"), ("ask dated", "ask held back", "intake after", "export after")),
    ("charter", keyholder.unchecked("charter"), ("ask under an old charter",)),
    ("steward", keyholder.any_charter, ("charter of the intruder's own",)),
    ("purpose", keyholder.permitted("purpose"), ("purpose that does not exist", "purpose that does not disclose")),
    ("role", keyholder.permitted("role"), ("purpose of another role",)),
    ("unit", keyholder.permitted("unit"), ("purpose of another unit",)),
    ("holding", keyholder.permitted("holding"), ("holding that is not",)),
    ("field", keyholder.permitted("field"), ("field that is not", "find by an identifier", "question about a field")),
    ("test", keyholder.permitted("test"), ("question that the purpose",)),
    ("version of a purpose", keyholder.permitted("version"), ("old version without",)),
    ("version", keyholder.unchecked("version"), ("old version in the newest", "newest version where")),
    ("size of an export", keyholder.permitted("budget"), ("export of more than the purpose",)),
    ("second signature wanted", keyholder.unchecked("countersign"), (
        "second signature missing", "second signature by the asker", "second signature by the asker's own", "second signature by another role",
        "second signature where none",
    )),
    ("second signature verified", keyholder.any_second, (
        "second signature by a stranger", "second signature forged", "second signature of another", "second signature as one", "second signatures out",
        "second signature twice",
    )),
    ("person", keyholder.unchecked("person"), ("compartments of one person",)),
    ("expired", keyholder.unchecked("expired"), ("record on the day", "record past its day")),
    ("fields", keyholder.unchecked("fields"), ("intake of an identifier",)),
    ("compartment", keyholder.unchecked("compartment"), ("compartment beside", "compartment instead", "export of a compartment", "question to open")),
    ("record", keyholder.unchecked("record"), ("other record", "record beside", "record of the ask", "record in two", "erasure that names one", "intake that tells")),
    ("frozen", keyholder.unchecked("frozen"), ("room frozen", "holding frozen", "reader frozen")),
    ("erased", keyholder.unchecked("erased"), ("record that was erased", "record that was erased, to")),
    ("epoch", keyholder.any_epoch, ("epoch without", "key on the day", "key that was")),
    ("batch", keyholder.any_batch, ("batch secret altered", "batch secret of another", "batch under another", "batch said to", "resealing that keeps", "proof of a batch")),
    ("versions in between", keyholder.any_newest, ("version that never",)),
    ("resealing", keyholder.any_resealing, ("resealing to a key",)),
    ("budgets", keyholder.unchecked("budgets"), (
        "more records", "one record more", "intake of more", "intake on", "one record asked", "export of more than was", "export on",
    )),
    ("operator", keyholder.any_signer("operator"), ("vault in the operator's",)),
    ("desk", keyholder.any_signer("desk"), ("vault in the desk's",)),
    ("subject", keyholder.any_subject, ("reader in a subject's",)),
    ("share bound to who", share.unbound_who, ("slot relabelled",)),
    ("share bound to handle", share.unbound("handle"), ("slot under another record's",)),
    ("share bound to version", share.unbound("version"), ("slot under another version",)),
    ("share bound to compartment", share.unbound("compartment"), ("slot under another compartment",)),
    ("a secret for each batch", both(disk.known_batch_secret, keyholder.same_secret), ("slot put into another",)),
    ("another secret after an erasure", keyholder.same_secret, ("slot with another", "slot without its")),
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
