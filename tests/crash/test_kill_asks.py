"""Kill -9 in the middle of reads, exports, corrections and erasures: what was acknowledged is so, and in the book once."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.crash import corrector, reader
from tests.crash.conftest import PEOPLE, people_of
from tests.crash.siege import Siege
from tests.custody.life import entries, mandate
from tests.world import World

from strongroom.custody import asking, newest
from strongroom.errors import InputError, Refused
from strongroom.ledger import entry, note, proof

pytestmark = [pytest.mark.kill, pytest.mark.timeout(3600)]

ASK = ["--case", "c-1", "--reason", "a sample for the yearly check"]


def lines(path: Path) -> list[str]:
    """The last one may be half a line."""
    return path.read_text().split("\n")[:-1] if path.exists() else []


def test_reads(besieged: Callable[..., Siege]) -> None:
    siege = besieged("reads")
    acknowledged = siege.folder / "acknowledged"
    siege.harry([reader.__file__, str(siege.room), str(acknowledged)], lambda: len(lines(acknowledged)))
    siege.rest()
    given = [line.split() for line in lines(acknowledged)]
    with siege.world() as town:
        verifiers = [note.verifier(town.keyholder.keys.log.vkey)]
        book = town.keyholder.store.entries(0, town.keyholder.book.size)
        numbered = Counter(int(index) for index, _, _ in given)
        assert max(numbered.values(), default=1) == 1, "two reads were given on one entry"
        for index, _, receipt in given:
            found = proof.parse(base64.b64decode(receipt).decode())
            assert found.index == int(index)
            proof.verify(found, book[found.index], verifiers)
            assert isinstance(entry.parse(book[found.index]), entry.DisclosureEntry)


def test_exports(besieged: Callable[..., Siege]) -> None:
    """Whenever one is complete it has each record once, and no half line; every batch that was given is in the book."""
    siege = besieged("exports", page=25)
    handles = sorted(one.handle.hex() for one in people_of(siege.room))
    receipts: list[dict[str, object]] = []
    out = siege.folder / "out.jsonl"

    def begin(turn: int) -> list[str]:
        nonlocal out
        out = siege.folder / f"out-{turn}.jsonl"
        return ["export", "--as", "ana", "--purpose", "extract", "--fields", "name", "--to", str(out), *ASK]

    def no_more_than_was_given() -> None:
        """Each line of the file is of a record that a receipt beside it covers."""
        covered = sum(int(json.loads(line)["records"]) for line in lines(beside(out))[1:])
        assert len(lines(out)) <= covered

    def finished(turn: int, code: int) -> None:
        found = [json.loads(line) for line in out.read_text().splitlines()]
        assert [one["handle"] for one in found] == handles
        assert all(one["fields"]["name"] for one in found)
        receipts.extend(json.loads(line) for line in beside(out).read_text().splitlines()[1:])

    turns = siege.storm(begin, finished, meanwhile=no_more_than_was_given)
    siege.rest()
    with siege.world() as town:
        for one in receipts:
            assert town.room.mirror.entry(int(str(one["entry"]))).decode() == one["text"]
    assert sum(int(str(one["records"])) for one in receipts) >= turns * PEOPLE


def beside(out: Path) -> Path:
    return out.with_name(f"{out.name}.receipts")


def test_corrections(besieged: Callable[..., Siege]) -> None:
    """What was acknowledged is so; what was not is as it was or as it was to be; nothing erased comes back."""
    siege = besieged("corrections")
    acknowledged = siege.folder / "acknowledged"
    siege.harry([corrector.__file__, str(siege.room), str(acknowledged)], lambda: len(lines(acknowledged)))
    siege.rest()
    said: dict[bytes, tuple[int, str]] = {}
    erased = set()
    for line in lines(acknowledged):
        deed, named, *rest = line.split(" ", 3)
        if deed == "erased":
            erased.add(bytes.fromhex(named))
        else:
            said[bytes.fromhex(named)] = int(rest[0]), rest[1]
    assert said
    with siege.world() as town:
        newest.tell(town.room, "residents")
        assert town.room.store.unsettled(town.room.holding("residents"), 9) == []
        review, cut = mandate(town, "review"), 0
        for handle in erased:
            with pytest.raises(InputError, match="not in residents"):
                list(asking.disclose(town.room, review, [handle], ["name"]))
        for handle in said.keys() - erased:
            version, name = said[handle]
            try:
                (found,) = asking.disclose(town.room, review, [handle], ["name", "phone"], version)
            except (InputError, Refused) as error:
                if error.code not in ("input", "erased"):
                    raise
                cut += 1
            else:
                assert found.values == ({"name": name, "phone": None},)
        # Erasures that were written and never acknowledged.
        assert cut <= len(_marks(town)) - len(erased)


def _marks(town: World) -> list[bytes]:
    return [mark for one in entries(town) if isinstance(one, entry.ErasureEntry) for mark in one.marks]


def test_erasures_of_many(besieged: Callable[..., Siege]) -> None:
    """Each by one entry, however often the same command was begun."""
    siege = besieged("erasures", page=10)
    left = [one.handle for one in people_of(siege.room)]
    gone: list[bytes] = []
    listed = siege.folder / "handles"

    def begin(turn: int) -> list[str]:
        nonlocal left
        now, left = left[: max(1, len(left) // 3)], left[max(1, len(left) // 3) :]
        gone.extend(now)
        listed.write_text("".join(f"{handle.hex()}\n" for handle in now))
        return ["erase", "--as", "rui", "--purpose", "forget", "--holding", "residents", "--yes",
                "--records-from", str(listed), *ASK]  # fmt: skip

    def finished(turn: int, code: int) -> None:
        # Nothing was left to be done but to say so: refused, or not found where the vault had noted all of it.
        assert code == 0 or "erased: " in siege.said() or "was erased before" in siege.said()

    siege.storm(begin, finished, good=(0, 1, 3))
    siege.rest()
    with siege.world() as town:
        assert len(set(_marks(town))) == len(_marks(town)) == len(gone)
        number = town.room.holding("residents")
        assert town.room.store.latest_versions(number, gone) == {}
        assert len(town.room.store.latest_versions(number, left)) == len(left)
