"""MongoDB's client-side field level encryption (libmongocrypt) in process: 2 values sealed, 2 deterministically, a record.

Run by the peers' own Python, beside a CSV: ``mongo.py ROWS.csv PROCESSES``. Prints records a second.
"""

from __future__ import annotations

import os
import struct
import sys
import time
from collections.abc import Iterator
from typing import Any

from pymongocrypt.mongocrypt import MongoCryptOptions
from pymongocrypt.synchronous.explicit_encrypter import ExplicitEncrypter
from pymongocrypt.synchronous.state_machine import MongoCryptCallback
from rows import halves, spread

_RANDOM, _SAME = "AEAD_AES_256_CBC_HMAC_SHA_512-Random", "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic"


def _bson(members: dict[str, Any]) -> bytes:
    """As much of BSON as is said here: texts, bytes, documents."""
    inner = b""
    for name, value in members.items():
        key = name.encode() + b"\0"
        if isinstance(value, str):
            data = value.encode() + b"\0"
            inner += b"\x02" + key + struct.pack("<i", len(data)) + data
        elif isinstance(value, bytes):
            inner += b"\x05" + key + struct.pack("<iB", len(value), 0) + value
        else:
            inner += b"\x03" + key + _bson(value)
    return struct.pack("<i", len(inner) + 5) + inner + b"\0"


class _Vault(MongoCryptCallback):  # type: ignore[misc]
    """The key vault: one data key, in memory."""

    key = b""

    def kms_request(self, kms_context: Any) -> None:
        raise NotImplementedError

    def collection_info(self, *asked: Any) -> None:
        raise NotImplementedError

    def mark_command(self, *asked: Any) -> None:
        raise NotImplementedError

    def fetch_keys(self, *asked: Any) -> Iterator[bytes]:
        yield self.key

    def insert_data_key(self, data_key: Any) -> bytes:
        self.key = bytes(data_key)
        at = self.key.index(b"\x05_id\0") + 5
        return self.key[at + 5 : at + 21]

    def bson_encode(self, doc: dict[str, Any]) -> bytes:
        return _bson(doc)

    def close(self) -> None:
        return


def work(lines: list[tuple[str, str, str, str]]) -> float:
    vault = _Vault()
    encrypter = ExplicitEncrypter(vault, MongoCryptOptions({"local": {"key": os.urandom(96)}}))
    key = encrypter.create_data_key("local")
    encrypt = encrypter.encrypt
    began = time.perf_counter()
    for identity, contact, number, phone in lines:
        encrypt(_bson({"v": identity}), _RANDOM, key_id=key)
        encrypt(_bson({"v": contact}), _RANDOM, key_id=key)
        encrypt(_bson({"v": number}), _SAME, key_id=key)
        encrypt(_bson({"v": phone}), _SAME, key_id=key)
    took = time.perf_counter() - began
    encrypter.close()
    return took


if __name__ == "__main__":
    print(spread(work, halves(sys.argv[1], int(sys.argv[2]))))
