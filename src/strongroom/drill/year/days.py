"""What happens in the city, day by day: people come and go, call each other, fall ill, post, are read about, moved and erased."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from strongroom.custody import asking
from strongroom.custody.correct import correct
from strongroom.custody.export import Wanted, export
from strongroom.drill.year.city import City
from strongroom.drill.year.truth import Kept, Truth, Values
from strongroom.seal.epoch import expiry_of
from strongroom.synth.people import people

AT_FIRST = 120
WATCHED = 12
"""Residents who look at their reads at the end; the first ones, who are never erased."""


class Days:
    """Plays one day after the other; ``truth`` remembers. The same seed plays the same year."""

    def __init__(self, city: City, seed: int = 5) -> None:
        self.city, self.rng = city, Random(seed)  # noqa: S311 - a year to be played again is no secret
        self.truth = Truth(city.room.rules().charter.holdings)
        self._new = people(5000, seed)
        self._count = 0
        self.done: dict[str, int] = {}

    def first(self) -> None:
        """The register as it is at the beginning."""
        self._take("residents", "register", [self._resident() for _ in range(AT_FIRST)])

    def day(self, number: int) -> None:
        """All that happens on a day; ``number`` from 1."""
        self._calls()
        self._codes()
        self._desk()
        if number % 7 == 1:
            self._register()
            self._posts()
            self._incidents()
        if number % 7 == 3:
            self._corrections()
            self._police()
            self._exchange()
        if number % 14 == 5:
            self._erasures()
        if number % 90 == 20:
            self._copies()

    # --- what is taken in ------------------------------------------------------------------------------------------
    def _take(self, holding: str, purpose: str, rows: Sequence[Values]) -> list[Kept]:
        retention = self.truth.holdings[holding].retention
        expires = expiry_of(self.city.today, retention)
        self.city.take_in(holding, purpose, rows)
        self._did(f"{holding} taken in", len(rows))
        return self.truth.add(holding, rows, expires)

    def _register(self) -> None:
        self._take("residents", "register", [self._resident() for _ in range(3)])
        # Some who are known are registered anew, at another address: their next version, whole.
        moved = self.rng.sample(self.truth.living("residents"), 2)
        for one in moved:
            one.values["address"] = f"{self._next()} Willow Lane, Riverton"
        self.city.take_in("residents", "update-register", [one.values for one in moved], upsert="id-number")
        for one in moved:
            self.truth.marks["residents", "id-number", one.values["id-number"]] += 1  # its purpose tells
        self._did("residents moved", len(moved))

    def _calls(self) -> None:
        rows = []
        for _ in range(4):
            caller, callee = self.rng.sample(self._people(), 2)
            rows.append({
                "caller": caller.values["phone"], "callee": callee.values["phone"], "day": "2026-01-01", "began": "08:15",
                "seconds": str(self.rng.randrange(9000)), "cell": f"cell {self._next()}",
            })  # fmt: skip
        self._take("calls", "take-calls", rows)

    def _codes(self) -> None:
        rows = []
        for one in self.rng.sample(self._people(), 2):
            self.truth.marks["health-codes", "id-number", one.values["id-number"]] += 1  # its purpose tells
            rows.append({
                "id-number": one.values["id-number"], "issued": "2026-01-01", "code": self.rng.choice(["green", "yellow", "red"]),
                "evidence": f"a test of {self._next()} was positive", "evidence-day": "2026-01-01", "laboratory": f"laboratory {self._next()}",
            })  # fmt: skip
        self._take("health-codes", "set-code", rows)

    def _posts(self) -> None:
        rows = [
            {
                "author": "@u" + one.values["id-number"].lower(), "name": one.values["name"], "phone": one.values["phone"],
                "post": f"{self._next():010}", "day": "2026-01-01", "text": f"what somebody thinks of street {self._next()}",
            }
            for one in self.rng.sample(self._people(), 3)
        ]  # fmt: skip
        self._take("posts", "take-posts", rows)

    def _incidents(self) -> None:
        rows = []
        for _ in range(2):
            reporter, victim, suspect = self.rng.sample(self._people(), 3)
            known = self.rng.random() < 0.6
            rows.append({
                "incident": f"R-2026-{self._next():06}", "day": "2026-01-01", "kind": "fraud",
                "reporter": reporter.values["id-number"], "reporter-name": reporter.values["name"], "reporter-phone": "",
                "victim": victim.values["id-number"], "victim-name": victim.values["name"],
                "account": f"the account of what happened at house {self._next()}", "picture": "",
                "suspect": suspect.values["id-number"] if known else "", "suspect-name": suspect.values["name"] if known else "",
                "officer": f"P{self.rng.randrange(20):05}", "officer-note": "",
            })  # fmt: skip
        self._take("incidents", "record-incident", rows)

    # --- who reads ---------------------------------------------------------------------------------------------------
    def _desk(self) -> None:
        fields = ["name", "id-number", "born"]
        self._disclose(self._somebody(), "confirm-identity", "resident-id", "id-number", fields)
        self._check(self._somebody(), "confirm-age", "born", "adult", None)
        one = self._somebody()
        self._disclose(one, "contact-resident", "phone", "phone", ["phone"], found_as="phone")

    def _police(self) -> None:
        living = self.truth.living("incidents")
        if living:
            one = self.rng.choice(living)
            self._disclose(one, "handle-case", "text:incident", "incident", ["incident", "victim-name", "account"])
            self._disclose(
                self.rng.choice(living), "protect-reporter", "text:incident", "incident", ["reporter", "incident"]
            )

    def _exchange(self) -> None:
        """A bill that is disputed, and a contact chain of one hop."""
        for purpose, fields in (
            ("settle-bill", ["day", "seconds"]),
            ("trace-contacts", ["caller", "callee", "day"]),
        ):
            phone = self._somebody().values["phone"]
            handles = self.city.find("calls", purpose, "phone", phone)
            self.truth.found("calls", "callee", phone)
            concerned = [
                kept
                for kept in self.truth.living("calls")
                if phone in (kept.values["caller"], kept.values["callee"]) and kept.expires > self.city.today
            ]
            if handles:
                list(asking.disclose(self.city.room, self.city.mandate(purpose, "calls"), handles, fields))
                for kept in concerned:
                    self.truth.opened(kept, fields)
            self._did("calls read", len(handles))

    # --- what is changed ---------------------------------------------------------------------------------------------
    def _corrections(self) -> None:
        one = self._somebody()
        changed = {"email": f"new{self._next()}@example.org"}
        handles = self._find(one, "mend", "resident-id", "id-number")
        correct(self.city.room, self.city.mandate("mend", "residents"), handles, changed)
        one.values |= changed
        self.truth.opened(one, one.values.keys())
        self._did("residents corrected", 1)

    def _erasures(self) -> None:
        for holding, kind, field in (("residents", "resident-id", "id-number"), ("posts", "text:post", "post")):
            choice = self.truth.living(holding)[WATCHED if holding == "residents" else 0 :]
            if not choice:
                continue
            one = self.rng.choice(choice)
            handles = self._find(one, "erase", kind, field)
            (erased,) = asking.erase(self.city.room, self.city.mandate("erase", holding), handles)
            self.truth.opened(one, one.values.keys())
            one.erased, one.final = True, erased.final
            self._did(f"{holding} erased", 1)

    def _copies(self) -> None:
        """Somebody wants a copy of what is held about them."""
        one = self._people()[0]
        handles = self._find(one, "copy", "resident-id", "id-number")
        out = self.city.root / f"copy-{self._next()}.jsonl"
        wanted = Wanted(out, "jsonl", ("name", "phone"), tuple(handles), None)
        export(self.city.room, self.city.mandate("copy", "residents"), wanted)
        self.truth.opened(one, ["name", "phone"])
        self._did("copies given out", 1)

    # --- the parts of these ------------------------------------------------------------------------------------------
    def _disclose(
        self, one: Kept, purpose: str, kind: str, field: str, fields: Sequence[str], found_as: str = ""
    ) -> None:
        handles = self._find(one, purpose, kind, field, found_as)
        list(asking.disclose(self.city.room, self.city.mandate(purpose, one.holding), handles, fields))
        self.truth.opened(one, fields)
        self._did(f"{one.holding} read", 1)

    def _check(self, one: Kept, purpose: str, field: str, test: str, value: str | None) -> None:
        handles = self._find(one, purpose, "resident-id", "id-number")
        mandate = self.city.mandate(purpose, one.holding)
        list(asking.check(self.city.room, mandate, handles, field, test, value))  # type: ignore[arg-type]
        self.truth.opened(one, [field])
        self._did("questions", 1)

    def _find(self, one: Kept, purpose: str, kind: str, field: str, found_as: str = "") -> tuple[bytes, ...]:
        value = one.values[field]
        handles = self.city.find(one.holding, purpose, kind, value)
        assert len(handles) == 1, f"{len(handles)} records of one person"
        if found_as != "phone" and self.truth.holdings[one.holding].fields[field].identifier == "primary":
            self.truth.found(one.holding, field, value)
        return handles

    def _people(self) -> list[Kept]:
        return self.truth.living("residents")

    def _somebody(self) -> Kept:
        """Half of the time one of those who look at their reads at the end."""
        people_ = self._people()
        return self.rng.choice(people_[:WATCHED] if self.rng.random() < 0.5 else people_)

    def _resident(self) -> Values:
        return dict(next(self._new))

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _did(self, what: str, count: int) -> None:
        self.done[what] = self.done.get(what, 0) + count
