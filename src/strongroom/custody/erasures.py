"""The ledger's erasures held against those that this vault asked for (SPEC.md sections 3.7, 8.9).

Before it asks the keyholder to erase, the vault notes which records the ask names (``admit.keep_private``). An erasure in the ledger that commits to
such an ask is its own, whether or not it came to take note of the answer: those records are withdrawn here. Any other was asked for
before this vault was restored from an older copy, or by nobody. Only a person can tell which; nothing is let go for it until one has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from strongroom.custody.removals import Removals
from strongroom.custody.room import Room
from strongroom.errors import StoreError
from strongroom.ledger import entry
from strongroom.seal import columns, ids


class _Seen(NamedTuple):
    """Up to which size the ledger was gone through, and the indexes of erasures that this vault did not ask for."""

    size: int
    unasked: tuple[int, ...]

    def marshal(self) -> bytes:
        return b"".join(one.to_bytes(8, "big") for one in (self.size, *self.unasked))


def _seen(data: bytes) -> _Seen:
    size, *unasked = [int.from_bytes(one, "big") for one in columns.split(data, 8)] or [0]
    return _Seen(size, tuple(unasked))


def expect(room: Room, commitment: bytes, handles: Iterable[bytes]) -> None:
    """Note of which records an erasure is about to be asked for, by the hash of the ask (32 bytes)."""
    room.store.notes.put(_asked_name(commitment), b"".join(sorted(set(handles))))


def asked(room: Room, item: entry.ErasureEntry) -> set[bytes]:
    """The records that this vault asked to have erased by this entry; none where it did not, or the entry is of more or fewer."""
    handles = set(columns.split(room.store.notes.get(_asked_name(item.commitment)), 16))
    return handles if len(handles) == item.count else set()


def reconcile(room: Room, holding: str) -> tuple[int, ...]:
    """Withdraw what the mirror says was erased as this vault asked. Returns the indexes of erasures that it did not ask for, and that
    nobody has looked at. The keyholder is not asked."""
    store, number, name = room.store, room.holding(holding), _seen_name(room, holding)
    while True:
        before, size = store.notes.get(name), room.mirror.size
        seen = _seen(before)
        fresh = [(index, entry.parse(data)) for index, data in store.mirror.erasures(seen.size, size)]
        found = [(index, one) for index, one in fresh if isinstance(one, entry.ErasureEntry) and one.holding == holding]
        if not fresh:
            return seen.unasked
        removed = Removals(room.directory, holding).known() if found else {}
        withdrawn: set[bytes] = set()
        unasked = list(seen.unasked)
        for index, one in found:
            own = asked(room, one) or {removed[mark] for mark in one.marks if mark in removed}
            withdrawn |= own
            if len(own) != one.count:
                unasked.append(index)
        if withdrawn:
            store.withdraw(number, withdrawn)
        done = [_asked_name(one.commitment) for index, one in found if index not in unasked]
        if store.notes.swap(name, before, _Seen(size, tuple(unasked)).marshal(), done):
            return tuple(unasked)


def settle(room: Room, holding: str) -> None:
    """``reconcile``, before records get new versions by what they are found by. Raises ``StoreError`` where some may be erased without the
    vault's knowing: what is taken in under their name would be erased with them."""
    if unasked := reconcile(room, holding):
        raise StoreError(
            f"{complaint(holding, unasked)}. Until then no record of {holding} gets a new version by an import"
        )


def believe(room: Room, holding: str, indexes: Collection[int]) -> None:
    """Somebody has looked at these, and what they erase is withdrawn."""
    name = _seen_name(room, holding)
    while True:
        before = room.store.notes.get(name)
        seen = _seen(before)
        left = _Seen(seen.size, tuple(index for index in seen.unasked if index not in indexes))
        if room.store.notes.swap(name, before, left.marshal()):
            return


def complaint(holding: str, unasked: Collection[int]) -> str:
    """What to say of erasures that this vault did not ask for, with the mend."""
    entries = f"entr{'y' if len(unasked) == 1 else 'ies'} {', '.join(map(str, unasked))}"
    return (
        f"{entries} of the ledger: an erasure in {holding} that this vault did not ask for. Was the vault restored from an older copy, "
        "and was each asked for (strongroom ledger show; the registry's cases)? Then run strongroom upkeep --believe-erasures "
        f"{' '.join(map(str, unasked))}. If not, the keyholder is not to be believed: run nothing, and call its operator"
    )


def _asked_name(commitment: bytes) -> str:
    return f"erasing:{commitment.hex()}"


def _seen_name(room: Room, holding: str) -> str:
    return f"erasures:{ids.holding_id(room.keys.room, holding).hex()}"
