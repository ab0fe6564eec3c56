"""Many asks in one request: each decided for itself, in order, in one transaction, under one checkpoint (SPEC.md 8.11)."""

from __future__ import annotations

import os
import sqlite3

import pytest
from tests.houses import FRESH, Houses, change
from tests.keyholder.asked import erase
from tests.keyholder.grouped import PATH, ask, codes, group_of, opened, part_of, work_of

from strongroom.canonical import encode
from strongroom.custody.steps import of_ask
from strongroom.errors import FormatError, Refused, SealError, StoreError, StrongroomError
from strongroom.keyholder import protocol, reading
from strongroom.keyholder.case import Case
from strongroom.ledger import checkpoint, entry, note
from strongroom.seal import hpke


def _refusal(houses: Houses) -> protocol.Refusal:
    return protocol.Refusal(**houses.town.room.common(), **of_ask(houses.ask()), code="rule")


def _find(houses: Houses) -> protocol.Find:
    now = houses.town.room.now()
    signed = houses.town.asker("ana").find(
        "residents", "confirm", "phone", "13900000000", "case-1", "a citizen at the counter", now
    )
    return houses.find(signed, os.urandom(32))


def test_each_part_is_answered_as_on_its_own_in_order_under_one_checkpoint(houses: Houses) -> None:
    before = houses.town.keyholder.book.size
    alone, find, refusal = houses.good(2), _find(houses), _refusal(houses)
    body = encode(group_of(houses, [part_of(alone), part_of(find), part_of(refusal)]))
    work = work_of(houses, body)
    answer = houses.town.keyholder.ask(work.path, work.signature, work.body)
    assert isinstance(answer, protocol.GivenTogether)
    given, token, entered = opened(houses, body, answer)
    assert isinstance(given, protocol.Given)
    assert isinstance(token, protocol.GivenToken)
    assert isinstance(entered, protocol.Entered)
    assert [given.index, token.index, entered.index] == [before, before + 1, before + 2]
    kinds = [type(one) for one in houses.entries()[before:]]
    assert kinds == [entry.DisclosureEntry, entry.FindEntry, entry.RefusalEntry]
    text = note.open_note(answer.checkpoint, [note.verifier(houses.town.keyholder.keys.log.vkey)])
    assert checkpoint.parse(text).size == before + 3
    assert [item.encode() for item in answer.entries] == houses.held().entries[group_of(houses, [b"{}"]).have :]
    # The same shares as the same records have on their own.
    same = houses.good(2)
    assert houses.open(same, houses.send(same)).shares == given.shares


def test_one_window_may_index_the_same_twice_but_not_by_the_same_group(houses: Houses) -> None:
    """Two records about one person, posted one after the other, have the same identifiers."""
    before, inners = houses.town.keyholder.book.size, [os.urandom(32), os.urandom(32)]
    part = part_of(houses.intake(houses.window(10), inners))
    body = encode(group_of(houses, [part]))
    work = work_of(houses, body)
    found = [opened(houses, body, houses.town.keyholder.ask(PATH, work.signature, body)) for _ in range(2)]
    other = hpke.private_from(os.urandom(96))
    work = work_of(houses, encode(group_of(houses, [part], fresh=other.public)))
    answer = houses.town.keyholder.ask(PATH, work.signature, work.body)
    (more,) = opened(houses, work.body, answer, other)
    alone = houses.intake(houses.window(2), inners)
    tokens = houses.open(alone, houses.send(alone), protocol.tokens).tokens
    assert found == [[protocol.GivenTokens(index=before, tokens=tokens)]] * 2
    assert more == protocol.GivenTokens(index=before + 1, tokens=tokens)
    assert [one.count for one in houses.entries()[before:] if isinstance(one, entry.IntakeEntry)] == [2, 2, 2]


def test_one_that_is_refused_is_an_entry_and_harms_no_other(houses: Houses) -> None:
    before = houses.town.keyholder.book.size
    wrong = houses.disclose(houses.town.ask(houses.handles[:1], ["phone"], "confirm"), [2])
    answers = ask(houses, [part_of(houses.good()), part_of(wrong), part_of(houses.good())])
    assert codes(answers) == ["", "field", ""]
    assert [one.index for one in answers] == [before, before + 1, before + 2]
    written = houses.entries()[before:]
    assert [type(one) for one in written] == [entry.DisclosureEntry, entry.RefusalEntry, entry.DisclosureEntry]


@pytest.mark.parametrize(
    "bent",
    [b"{}", b"[]", b'"x"', b"1", b'{"part":"intake"}', b'{"part":"disclose"}', b'{"part":"find","have":1}'],
)
def test_a_malformed_part_is_its_own_problem_and_writes_nothing(houses: Houses, bent: bytes) -> None:
    before = houses.town.keyholder.book.size
    assert codes(ask(houses, [bent, part_of(houses.good()), bent])) == ["malformed", "", "malformed"]
    assert houses.town.keyholder.book.size == before + 1


def test_a_part_that_is_not_canonical_is_malformed(houses: Houses) -> None:
    text = part_of(houses.good())
    spaced = text.replace(b'":', b'": ', 1)
    twice = text.replace(b'{"ask"', b'{"part":"disclose","ask"', 1)
    more = text.replace(b'{"ask"', b'{"have":0,"ask"', 1)
    assert codes(ask(houses, [spaced, twice, more])) == ["malformed"] * 3


def test_a_group_that_is_malformed_gives_and_writes_nothing(houses: Houses) -> None:
    text = part_of(houses.good())
    whole = encode(group_of(houses, [text]))
    too_many = encode(group_of(houses, [b"1"] * (protocol.MAX_PARTS + 1)))
    for body in (encode(group_of(houses, [])), too_many, whole.replace(b'"parts":[', b'"parts":[ '), whole[:-1]):
        work = work_of(houses, body)
        before = houses.held()
        with pytest.raises(FormatError):
            houses.town.keyholder.ask(work.path, work.signature, work.body)
        assert houses.held() == before


def test_only_the_vault_asks_and_only_with_a_mirror_of_this_book(houses: Houses) -> None:
    body = encode(group_of(houses, [part_of(houses.good())]))
    with houses.refused("vault", written=False):
        houses.town.keyholder.ask(PATH, bytes(64), body)
    ahead = encode(group_of(houses, [part_of(houses.good())], have=10_000))
    work = work_of(houses, ahead)
    with pytest.raises(StoreError):
        houses.town.keyholder.ask(work.path, work.signature, work.body)


def test_budgets_are_drawn_on_across_the_parts_in_their_order(houses: Houses) -> None:
    # 50 a day for one reader under this purpose.
    def reach(count: int) -> bytes:
        return part_of(houses.disclose(houses.town.ask(houses.handles[:count], ["phone"], "reach"), [2]))

    found = codes(ask(houses, [reach(12), reach(12), reach(12), reach(12), reach(12), reach(2), reach(1)]))
    assert found == ["", "", "", "", "budget", "", "budget"]


def test_the_identical_part_is_answered_again_in_another_group_for_nothing(houses: Houses) -> None:
    text = part_of(houses.good(2))
    (first,), held = ask(houses, [text]), houses.held()
    houses.town.room.sync()
    houses.town.hands.wait(protocol.IDENTICAL_SECONDS - 1)
    seed = hpke.private_from(os.urandom(96))
    body = encode(group_of(houses, [part_of(houses.good()), text], fresh=seed.public))
    work = work_of(houses, body)
    answer = houses.town.keyholder.ask(work.path, work.signature, work.body)
    with pytest.raises(SealError):
        opened(houses, body, answer)
    again = opened(houses, body, answer, seed)[1]
    assert again == first
    assert FRESH.public != seed.public
    # One new entry, the other part's.
    assert len(houses.held().entries) == len(held.entries) + 1
    houses.town.hands.wait(2)
    (used,) = ask(houses, [text])
    assert (codes([used]), used.index) == (["used"], None)


def test_groups_of_one_key_have_one_secret_and_open_alone_with_their_own_request(houses: Houses) -> None:
    seed = hpke.private_from(os.urandom(96))
    heads, answered = [], []
    for fresh in (FRESH, FRESH, seed):
        body = encode(group_of(houses, [part_of(houses.good())], fresh=fresh.public))
        work = work_of(houses, body)
        answer = houses.town.keyholder.ask(PATH, work.signature, body)
        assert isinstance(answer, protocol.GivenTogether)
        assert codes(opened(houses, body, answer, fresh)) == [""]
        heads.append(answer.sealed[:1168])
        answered.append((body, answer))
    assert heads[0] == heads[1] != heads[2]
    (body, _), (other, answer), _ = answered
    assert body != other
    with pytest.raises(SealError):
        opened(houses, body, answer)


def test_one_ask_twice_in_one_group_is_one_read(houses: Houses) -> None:
    before = houses.town.keyholder.book.size
    request = houses.good()
    first, again, other = ask(houses, [part_of(request), part_of(request), part_of(change(request, deltas=bytes(32)))])
    assert first == again
    assert codes([other]) == ["used"]
    assert houses.town.keyholder.book.size == before + 1


def test_a_used_ask_is_used_by_either_way(houses: Houses) -> None:
    one, two = houses.good(), houses.good()
    ask(houses, [part_of(one)])
    houses.send(two)
    with houses.refused("used", written=False):
        houses.send(one)
    assert codes(ask(houses, [part_of(two)])) == ["used"]


@pytest.mark.parametrize("code", ["frozen", "erased"])
def test_what_was_forbidden_meanwhile_is_not_answered_again(houses: Houses, code: str) -> None:
    text = part_of(houses.good())
    ask(houses, [text])
    if code == "frozen":
        houses.operate("freeze", "room")
    else:
        houses.send(erase(houses, houses.handles[:1]))
    count = houses.town.keyholder.book.size
    assert codes(ask(houses, [text])) == [code]
    assert houses.town.keyholder.book.size == count


def test_after_a_restart_the_identical_part_is_known_again(houses: Houses) -> None:
    text = part_of(houses.good())
    (first,) = ask(houses, [text])
    houses.town.restart_keyholder()
    assert ask(houses, [text]) == [first]


def test_what_breaks_on_one_part_undoes_that_part_alone(houses: Houses, monkeypatch: pytest.MonkeyPatch) -> None:
    poison = houses.good(3)
    honest = reading._write

    def breaks(keyholder: object, case: Case) -> int:
        index = honest(keyholder, case)  # type: ignore[arg-type]
        if len(case.handles) == 3:
            raise sqlite3.IntegrityError("as a defect would")
        return index

    monkeypatch.setattr(reading, "_write", breaks)
    before = houses.held()
    answers = ask(houses, [part_of(houses.good()), part_of(poison), part_of(houses.good(2))])
    assert codes(answers) == ["", "store", ""]
    assert len(houses.held().entries) == len(before.entries) + 2
    houses.check()
    monkeypatch.undo()
    # Undone whole: it was not used up.
    assert codes(ask(houses, [part_of(poison)])) == [""]


class _Broken:
    """A connection that fails from one statement on, as a disk does."""

    def __init__(self, real: sqlite3.Connection, at: int) -> None:
        self.real, self.left = real, at

    def _step(self) -> None:
        self.left -= 1
        if self.left <= 0:
            raise sqlite3.OperationalError("disk I/O error")

    def execute(self, *given: object) -> sqlite3.Cursor:
        if given != ("ROLLBACK",):
            self._step()
        return self.real.execute(*given)  # type: ignore[arg-type]

    def executemany(self, *given: object) -> sqlite3.Cursor:
        self._step()
        return self.real.executemany(*given)  # type: ignore[arg-type]

    @property
    def in_transaction(self) -> bool:
        return self.real.in_transaction


def test_a_disk_that_fails_anywhere_leaves_all_or_nothing(houses: Houses) -> None:
    store = houses.town.keyholder.store
    for at in (1, 3, 8, 15, 20, 25, 30, 35, 40, 45, 60):
        parts, before = [part_of(houses.good()), part_of(houses.good(2))], houses.held()
        broken = _Broken(store.db, at)
        store.db = broken  # type: ignore[assignment]
        try:
            ask(houses, parts)
        except (sqlite3.Error, StrongroomError):
            pass
        finally:
            store.db = broken.real
        assert len(houses.held().entries) - len(before.entries) in (0, 2)
        # The same again, once the disk is well: answered, and written once.
        assert codes(ask(houses, parts)) == ["", ""]
        assert len(houses.held().entries) == len(before.entries) + 2
        houses.check()


def test_a_group_beside_other_requests_in_one_commit(houses: Houses) -> None:
    body = encode(group_of(houses, [part_of(houses.good())]))
    bad = work_of(houses, b"{")
    group, wrong = houses.town.keyholder.commit([work_of(houses, body), bad])
    assert isinstance(group, protocol.GivenTogether)
    assert isinstance(wrong, Refused | FormatError)
