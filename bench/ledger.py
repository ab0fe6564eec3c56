"""Durable appends to the book, and verifying what was published of it."""

from __future__ import annotations

import time
from pathlib import Path

from bench.measure import line, seconds
from strongroom.keyholder import files
from strongroom.ledger import audit, entry, note


def appends(room: Path, total: int) -> None:
    """Append heartbeats through the keyholder's own book: one transaction, one signature a group."""
    with files.lock(room / "keyholder"):
        keyholder = files.open_keyholder(room / "keyholder", room / "public")
        book, store, now = keyholder.book, keyholder.store, int(time.time())
        for group in (1, 8, 64, 1000):
            groups = max(20, min(total, 2000 * group) // group)

            def run(group: int = group, groups: int = groups) -> None:
                for _ in range(groups):
                    with store.transaction():
                        for _ in range(group):
                            book.stage(entry.HeartbeatEntry(v=1, time=now))
                        book.flush()
                    book.sign()

            took = seconds(run)
            line(f"durable appends, {group} a commit", f"{group * groups / took:,.0f} entries/s ({group * groups:,})")
        took = seconds(lambda: keyholder.publish(now))
        line("publish as static tiles", f"{book.size / took:,.0f} entries/s ({book.size:,})")
        store.close()


def verify(room: Path) -> None:
    """Verify the published ledger whole, on one core."""
    public = room / "public"
    verifiers = [note.verifier(text) for text in (public / "vkeys").read_text().split()]
    found: list[audit.Audit] = []
    took = seconds(lambda: found.append(audit.audit(lambda path: (public / path).read_bytes(), verifiers, None)))
    line("verify a published ledger, one core", f"{found[0].size / took:,.0f} entries/s ({found[0].size:,})")
