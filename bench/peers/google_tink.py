"""Google's Tink in process: 2 values under AES-256-GCM, 2 under AES-256-SIV, a record.

Run by the peers' own Python, beside a CSV: ``google_tink.py ROWS.csv PROCESSES``. Prints records a second.
"""

from __future__ import annotations

import sys
import time

import tink
from rows import halves, spread
from tink import aead, daead


def work(lines: list[tuple[str, str, str, str]]) -> float:
    aead.register()
    daead.register()
    seal = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM).primitive(aead.Aead).encrypt
    same = tink.new_keyset_handle(daead.deterministic_aead_key_templates.AES256_SIV)
    index = same.primitive(daead.DeterministicAead).encrypt_deterministically
    began = time.perf_counter()
    for number_, (identity, contact, number, phone) in enumerate(lines):
        bound = number_.to_bytes(8, "big")
        seal(identity.encode(), bound + b"1")
        seal(contact.encode(), bound + b"2")
        index(number.encode(), b"id-number")
        index(phone.encode(), b"phone")
    return time.perf_counter() - began


if __name__ == "__main__":
    print(spread(work, halves(sys.argv[1], int(sys.argv[2]))))
