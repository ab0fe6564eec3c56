"""The keyholder's signed words by which rows left the vault: kept, so that one mark never serves for two records.

Which mark belongs to which record only the keyholder can tell. Whoever works it could have a living row deleted under the mark of one
that was erased; with every word kept, no mark counts twice, and each word can be held against the asks that the auditor opens.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from strongroom.canonical import Bytes64, Codec, Record, encode
from strongroom.custody.certificate import Word
from strongroom.errors import ProofError, StoreError
from strongroom.keyholder import protocol
from strongroom.keyholder.keys import sync_folder, write_secret
from strongroom.seal.label import label

FOLDER = "erased"
_REMOVAL = label("removal")


class _Kept(Record):
    certificate: str
    signature: Bytes64


_kept: Codec[_Kept] = Codec(_Kept, "word on erased records", StoreError)


class Removals:
    """Those of one holding, in ``vault/erased/``."""

    def __init__(self, vault: Path, holding: str) -> None:
        self._folder, self._holding = vault / FOLDER, holding
        self._handles: dict[bytes, bytes] | None = None

    def check(self, word: Word) -> None:
        """Raises ``ProofError`` when one of its marks was another record's before."""
        known = self.known()
        for mark, handle in word.marks.items():
            if known.get(mark, handle) != handle:
                raise ProofError(
                    f"the keyholder calls record {handle.hex()} erased under a mark that it gave to another record before. "
                    f"Both of its signed words are in {self._folder} or were just given: nothing was removed"
                )

    def keep(self, word: Word) -> None:
        """On disk when this returns. Again, it changes nothing."""
        self.check(word)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._folder / f"{self._holding}-{hashlib.sha256(_REMOVAL + word.text).hexdigest()[:32]}.json"
        if not path.exists():
            draft = path.with_suffix(".draft")
            draft.unlink(missing_ok=True)
            write_secret(draft, encode(_Kept(certificate=word.text.decode(), signature=word.signature)))
            draft.replace(path)
            sync_folder(self._folder)
            sync_folder(self._folder.parent)
        self.known().update(word.marks)

    def known(self) -> dict[bytes, bytes]:
        """Mark -> handle."""
        if self._handles is None:
            self._handles = {}
            # One name may begin another's, as in calls and calls-old: what it says counts.
            for path in sorted(self._folder.glob(f"{self._holding}-*.json")):
                said = protocol.certificate.parse(_kept.parse(path.read_bytes()).certificate.encode())
                if said.holding == self._holding:
                    self._handles.update({one.mark: one.handle for one in said.records})
        return self._handles
