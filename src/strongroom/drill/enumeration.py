"""Drill: insiders guess who is here and what is written of them, within what they may ask (THREATS.md, promises 1 and 2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from strongroom.catalog.rate import parse_rate
from strongroom.client.device import SignedAsk
from strongroom.custody import check, read
from strongroom.drill import enumeration_doors, enumeration_tells
from strongroom.drill.falsehood import ask_reads, fetch, view
from strongroom.drill.report import Progress, Report
from strongroom.drill.stage import CASE, REASON, Stage, Theatre
from strongroom.errors import Refused
from strongroom.ledger import entry
from strongroom.seal import person
from strongroom.synth import people

NAME = "enumeration"
ATTACK = (
    "Insiders guess who is here, and what is written of them: by look-ups, questions, intake, by what refusals say, by the"
    " desk's codes."
)

HOURS = 3
"""For so long clerks look up whatever comes to their mind, as fast as they are let."""

_PEOPLE, _OTHERS, _AT_ONCE = 60, 600, 80
_CLERKS = ("ana", "ben")
_HOUR, _DAY = 3600, 86400


def run(report: Report, theatre: Theatre, progress: Progress) -> None:
    stage = theatre.stage(progress)
    town = list(people.people(_PEOPLE + _OTHERS, 31))
    stage.admit("residents", town[:_PEOPLE])
    progress("clerks look up guessed numbers")
    _finds(report, stage, town)
    for attack in (_questions, _everybody):
        stage.hands.wait(_DAY)
        progress("clerks ask questions")
        attack(report, stage)
    stage.hands.wait(_DAY)
    progress("a registrar takes people in, to see what happens")
    enumeration_tells.run(report, stage, town[_PEOPLE:])
    progress("others try the doors")
    enumeration_doors.run(report, stage)
    stage.close()


@dataclass
class _Tally:
    """``answered``: index of an entry -> the persons that it must have a mark for."""

    stage: Stage
    answered: dict[int, list[bytes]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)

    def ask(self, act: Callable[[], int], concerned: Iterable[bytes]) -> bool:
        """``act`` gives the entry's index. Whether it was answered."""
        try:
            self.answered[act()] = list(concerned)
        except Refused as refusal:
            self.refused[refusal.code] += 1
            return False
        return True

    @property
    def given(self) -> int:
        return sum(map(len, self.answered.values()))

    def marked(self) -> int:
        whose, found = self.stage.whose_tags(), 0
        for index, concerned in self.answered.items():
            (text,) = self.stage.keyholder.book.entries(index, 1)
            marks = Counter(whose.get(tag, b"") for tag in entry.entry_tags(entry.parse(text.encode())))
            found += (marks & Counter(concerned)).total()
        return found

    def report(self, report: Report, attack: str, got: str, most: int) -> None:
        """``most``: so many answers the budgets allow."""
        why = ", ".join(f"{count:,} refused: {code}" for code, count in self.refused.most_common()) or "none refused"
        report.add(
            attack,
            len(self.answered) + self.refused.total(),
            f"{got}, of {most:,} that budgets allow",
            f"{self.marked():,} marks on the chains of those asked about; {why}",
            passed=0 < self.given <= most and self.marked() == self.given,
        )


def _allowed(rates: Sequence[str], seconds: int) -> int:
    """A full bucket, and what flows into it."""
    return min(one.count + one.count * seconds // one.period for one in map(parse_rate, rates))


# --- by looking people up --------------------------------------------------------------------------------------------------
def _finds(report: Report, stage: Stage, town: Sequence[dict[str, str]]) -> None:
    """Every fourth guess is somebody who is here: one of eight whom everybody is curious about."""
    tally, hits, turn = _Tally(stage), list[int](), 0
    keys, room = stage.room.keys.holding("residents"), stage.keyholder.charter.budgets.room
    device = stage.enrol(0)
    for hour in range(HOURS + 1):
        for name in _CLERKS:
            for _ in range(_AT_ONCE):
                number = town[turn // 4 % 8 if turn % 4 == 0 else _PEOPLE + turn % _OTHERS]["id-number"]
                ask = stage.asker(name).find(
                    "residents", "confirm", "resident-id", number, CASE, REASON, stage.room.now()
                )
                inner = person.inners(keys, "resident-id", [number])[0]
                if not tally.ask(partial(_found, stage, ask, hits), [inner[:16]]):
                    break
                turn += 1
        if hour < HOURS:
            stage.hands.wait(_HOUR)
    got = f"{len(tally.answered)} answers, {sum(hits)} hits"
    tally.report(
        report, f"look up guessed identity numbers for {HOURS} hours, as two clerks", got, _allowed(room, HOURS * _HOUR)
    )
    a_day = min(one.count * _DAY // one.period for one in map(parse_rate, room))
    stage.room.publish()
    looked = view(stage, device, ask_reads(stage, device), fetch(stage.root / "public")).chains[0].reads
    report.limit(
        f"all readers of the room together can look for {a_day} people a day, whoever these are; one of them, looked up by two"
        f" clerks, sees {len(looked)} look-ups"
    )


def _found(stage: Stage, ask: SignedAsk, hits: list[int]) -> int:
    found = read.find(stage.room, ask)
    hits.append(len(found.handles))
    return found.index


# --- by questions ----------------------------------------------------------------------------------------------------------
def _questions(report: Report, stage: Stage) -> None:
    """In which of a few districts somebody lives: both clerks guess on, now and a day later."""
    target, tally = stage.handle_of(9), _Tally(stage)
    districts = sorted({one["district"] or "" for one in stage.people["residents"]})
    guesses = iter(districts * 4)
    for wait in (0, _DAY):
        stage.hands.wait(wait)
        refused = 0
        while refused < len(_CLERKS) and (guess := next(guesses, None)):
            # The one asks while the other, who was refused, waits.
            act = partial(_asked, stage, _CLERKS[refused], [target], "district", guess)
            refused += not tally.ask(act, [stage.truth[target].who])
    rates = stage.keyholder.charter.purposes["ask-age"].budgets.record
    attack = "ask one record for its district, one guess after the other, as two clerks in a day"
    got = f"{len(tally.answered)} of {len(districts)} districts tried"
    tally.report(report, attack, got, _allowed(rates, _DAY))
    days = -(-(len(districts) - 1) // _allowed(rates, 0))
    report.limit(
        f"a value that is one of {len(districts)} is known after {len(districts) - 1} questions, within {days} days; each of them is"
        " on the person's chain. Where that matters, no purpose may ask"
    )


def _everybody(report: Report, stage: Stage) -> None:
    """Who has this telephone number? Everybody's record is asked, by one clerk and then by the other."""
    tally, handles = _Tally(stage), stage.handles()
    phone = stage.people["residents"][11]["phone"] or ""
    for name in _CLERKS:
        for start in range(0, len(handles), 15):
            part = handles[start : start + 15]
            tally.ask(partial(_asked, stage, name, part, "phone", phone), [stage.truth[one].who for one in part])
    charter = stage.keyholder.charter
    own = len(_CLERKS) * _allowed(charter.purposes["ask-age"].budgets.reader, 0)
    most = min(own, _allowed(charter.budgets.room, 0))
    tally.report(
        report, "ask every record for one telephone number, as two clerks", f"{tally.given} records asked", most
    )


def _asked(stage: Stage, name: str, handles: Sequence[bytes], field_: str, value: str) -> int:
    asker, now = stage.asker(name), stage.room.now()
    return check.check(
        stage.room, asker.check("residents", "ask-age", handles, field_, "matches", value, CASE, REASON, now)
    ).index
