"""The charter as a custodian writes it: YAML, with the line of everything (SPEC.md section 6.7; examples/city)."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from strongroom.catalog.model import (
    Action,
    Charter,
    Compartment,
    Countersign,
    Field,
    Holding,
    KeyholderKeys,
    Mask,
    Provider,
    Purpose,
    PurposeBudgets,
    RoomBudgets,
    Test,
    VaultKeys,
    Witnesses,
)
from strongroom.catalog.validate import problems
from strongroom.catalog.yamltree import Node, Reader, Scalar, did_you_mean
from strongroom.errors import CatalogError

T = TypeVar("T")
Path = tuple[str, ...]

FLOOR = 256
HEARTBEAT = 3600
MERGE_UNITS_BELOW = 3
ROTATION = 30
FRESH = 3600
NO_WITNESSES = Witnesses(policy="", fresh=FRESH, strict=False)

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")  # canonical.Name
_U16, _U24 = 2**16 - 1, 2**24 - 1

OPEN_ENDED = "open-ended"  # as a holding's retention
NOBODY = "nobody"  # as a compartment's person


@dataclass(frozen=True, slots=True)
class Source:
    """What the custodian wrote, in the charter's own terms; ``lines`` says where: path of members -> line from 1."""

    file: str
    name: str
    delay: int
    heartbeat: int
    merge_units_below: int
    holdings: dict[str, Holding]
    purposes: dict[str, Purpose]
    budgets: RoomBudgets
    witnesses: Witnesses
    providers: dict[str, Provider]
    rules: str
    lines: Mapping[Path, int]

    def place(self, path: Path) -> str:
        """``file:line`` of ``path``, or of the nearest that encloses it."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.file}:{self.lines.get(path, 1)}"


def load(text: str | bytes, name: str) -> Source:
    """The source in ``text`` (bytes are UTF-8), read from the file called ``name``. Raises ``CatalogError`` at the first thing that cannot
    be read as what stands there; what does not fit together is ``check.check``'s and ``build``'s to say."""
    return _Loader(name).source(text)


def build(
    source: Source,
    *,
    version: int,
    previous: bytes,
    room: bytes,
    stewards: Iterable[bytes],
    roster: bytes,
    auditor: bytes,
    vault: VaultKeys,
    keyholder: KeyholderKeys,
    buckets: Mapping[str, Mapping[str, bytes]],
) -> Charter:
    """The charter of ``source`` with what the ceremony adds (SPEC.md 6.2; ``roster`` is its hash).

    Raises ``CatalogError`` at the first problem, with its line.
    """
    for problem in problems(source):
        raise CatalogError(source.place(problem.path), problem.text, problem.mend)
    return Charter(
        v=1,
        version=version,
        previous=previous,
        room=room,
        name=source.name,
        delay=source.delay,
        heartbeat=source.heartbeat,
        merge_units_below=source.merge_units_below,
        stewards=list(stewards),
        roster=roster,
        auditor=auditor,
        vault=vault,
        keyholder=keyholder,
        buckets={holding: dict(roots) for holding, roots in buckets.items()},
        holdings=source.holdings,
        purposes=source.purposes,
        budgets=source.budgets,
        witnesses=source.witnesses,
        providers=source.providers,
        rules=source.rules,
    )


class _Loader:
    def __init__(self, file: str) -> None:
        self._read = Reader(file)
        self._lines: dict[Path, int] = {}

    def source(self, text: str | bytes) -> Source:
        root = self._read.document(text)
        required = ("name", "delay", "holdings", "purposes")
        optional = ("heartbeat", "merge-units-below", "budgets", "witnesses", "providers", "rules")
        found = self._members((), root, "the charter", required, optional)
        read, budgets = self._read, found.get("budgets")
        heartbeat, merge, rules = found.get("heartbeat"), found.get("merge-units-below"), found.get("rules")
        witnesses, providers = found.get("witnesses"), found.get("providers")
        return Source(
            file=read.file,
            name=read.text(found["name"], "name"),
            delay=read.duration(found["delay"], "delay"),
            heartbeat=HEARTBEAT if heartbeat is None else read.duration(heartbeat, "heartbeat"),
            merge_units_below=MERGE_UNITS_BELOW if merge is None else read.number(merge, "merge-units-below", _U16),
            holdings=self._named(("holdings",), found["holdings"], "a holding", self._holding),
            purposes=self._named(("purposes",), found["purposes"], "a purpose", self._purpose),
            budgets=RoomBudgets(room=[], holdings={}) if budgets is None else self._room_budgets(budgets),
            witnesses=NO_WITNESSES if witnesses is None else self._witnesses(("witnesses",), witnesses),
            providers={} if providers is None else self._named(("providers",), providers, "a provider", self._provider),
            rules=self._rules(rules),
            lines=self._lines,
        )

    def _holding(self, at: Path, node: Node) -> Holding:
        wanted = ("about", "lawful-basis", "retention", "compartments", "fields")
        found = self._members(at, node, "a holding", wanted, ("rotation",))
        fields = self._named((*at, "fields"), found["fields"], "a field", self._field)
        primaries = [name for name, field in fields.items() if field.identifier == "primary"]
        # Where a record is about one person, every compartment is, and need not say so.
        person = primaries[0] if len(primaries) == 1 else ""
        retention, rotation = found["retention"], found.get("rotation")
        return Holding(
            about=self._read.text(found["about"], "about"),
            lawful_basis=self._read.text(found["lawful-basis"], "lawful-basis"),
            retention=0
            if isinstance(retention, Scalar) and retention.text == OPEN_ENDED
            else self._read.duration(retention, "retention", "d"),
            rotation=ROTATION if rotation is None else self._read.duration(rotation, "rotation", "d"),
            compartments=self._named(
                (*at, "compartments"),
                found["compartments"],
                "a compartment",
                lambda path, each: self._compartment(path, each, person),
            ),
            fields=fields,
        )

    def _compartment(self, at: Path, node: Node, only: str) -> Compartment:
        read = self._read
        if isinstance(node, Scalar):  # the short form: its number alone
            return Compartment(number=read.number(node, "a compartment's number", _U16), floor=FLOOR, person=only)
        found = self._members(at, node, "a compartment", ("number",), ("floor", "person"))
        floor, person = found.get("floor"), found.get("person")
        about = only if person is None else read.text(person, "person")
        return Compartment(
            number=read.number(found["number"], "number", _U16),
            floor=FLOOR if floor is None else read.number(floor, "floor", _U24),
            person="" if about == NOBODY else about,
        )

    def _field(self, at: Path, node: Node) -> Field:
        read, optional = self._read, ("identifier", "required", "max", "values", "needs", "pattern", "region")
        found = self._members(at, node, "a field", ("type", "compartment"), optional)

        def or_else(member: str, read_as: Callable[[Node, str], T], default: T) -> T:
            return read_as(found[member], member) if member in found else default

        return Field(
            type=read.text(found["type"], "type"),
            compartment=read.text(found["compartment"], "compartment"),
            identifier=or_else("identifier", self._choice("none", "primary", "secondary"), "none"),
            required=or_else("required", read.flag, False),
            max=or_else("max", lambda n, what: read.number(n, what, _U24), 0),
            values=or_else("values", read.texts, []),
            needs={} if "needs" not in found else self._needs((*at, "needs"), found["needs"]),
            pattern=or_else("pattern", read.text, ""),
            region=or_else("region", read.text, ""),
        )

    def _purpose(self, at: Path, node: Node) -> Purpose:
        wanted = ("about", "lawful-basis", "actions", "roles", "units", "reads")
        optional = ("find-by", "checks", "history", "held", "tells", "most", "countersign", "budgets")
        found = self._members(at, node, "a purpose", wanted, optional)
        read, budgets, finds, checks = self._read, found.get("budgets"), found.get("find-by"), found.get("checks")
        countersign, most = found.get("countersign"), found.get("most")

        def flag(member: str) -> bool:
            return member in found and read.flag(found[member], member)

        action = self._choice(*get_args(Action))
        return Purpose(
            about=read.text(found["about"], "about"),
            lawful_basis=read.text(found["lawful-basis"], "lawful-basis"),
            actions=[action(item, "an action") for item in read.items(found["actions"], "actions")],
            roles=[self._name(item, "a role") for item in read.items(found["roles"], "roles")],
            units=[self._name(item, "a unit") for item in read.items(found["units"], "units")],
            reads=self._named((*at, "reads"), found["reads"], "a holding", self._reads),
            finds={} if finds is None else self._named((*at, "find-by"), finds, "a holding", self._kinds),
            checks={} if checks is None else self._named((*at, "checks"), checks, "a holding", self._checks),
            history=flag("history"),
            held=flag("held"),
            tells=flag("tells"),
            most=0 if most is None else read.number(most, "most", _U24),
            countersign=Countersign(roles=[], units=[])
            if countersign is None
            else self._countersign((*at, "countersign"), countersign),
            budgets=PurposeBudgets(reader=[], unit=[], record=[], purpose=[])
            if budgets is None
            else self._purpose_budgets((*at, "budgets"), budgets),
        )

    def _reads(self, at: Path, node: Node) -> dict[str, Mask]:
        mask = self._choice(*get_args(Mask))
        return self._named(at, node, "a field", lambda _, found: mask(found, "a mask"))

    def _kinds(self, at: Path, node: Node) -> list[str]:
        return sorted(self._read.texts(node, "kinds of identifier"))

    def _checks(self, at: Path, node: Node) -> dict[str, list[Test]]:
        test = self._choice(*get_args(Test))
        return self._named(
            at,
            node,
            "a field",
            lambda _, found: sorted(test(item, "a test") for item in self._read.items(found, "tests")),
        )

    def _needs(self, at: Path, node: Node) -> dict[str, list[str]]:
        # Written by value, which may be any text; kept by field, since the document's keys are ASCII (SPEC.md 1.3).
        found: dict[str, list[str]] = {}
        for value, (line, fields) in self._read.free_table(node, "needs").items():
            for item in self._read.items(fields, "needs"):
                name = self._name(item, "a field")
                self._lines.setdefault((*at, name), line)
                found.setdefault(name, []).append(value)
        return found

    def _countersign(self, at: Path, node: Node) -> Countersign:
        found = self._members(at, node, "countersign", ("roles", "units"))
        return Countersign(
            roles=[self._name(item, "a role") for item in self._read.items(found["roles"], "roles")],
            units=[self._name(item, "a unit") for item in self._read.items(found["units"], "units")],
        )

    def _purpose_budgets(self, at: Path, node: Node) -> PurposeBudgets:
        members = ("reader", "unit", "record", "purpose")
        found = self._members(at, node, "budgets", (), members)
        rates = {member: self._read.texts(rates, member) for member, rates in found.items()}
        return PurposeBudgets(**{member: rates.get(member, []) for member in members})

    def _room_budgets(self, node: Node) -> RoomBudgets:
        at = ("budgets",)
        found = self._members(at, node, "budgets", (), ("room", "holdings"))
        return RoomBudgets(
            room=self._read.texts(found["room"], "room") if "room" in found else [],
            holdings=self._named(
                (*at, "holdings"), found["holdings"], "a holding", lambda _, rates: self._read.texts(rates, "rates")
            )
            if "holdings" in found
            else {},
        )

    def _witnesses(self, at: Path, node: Node) -> Witnesses:
        read, found = self._read, self._members(at, node, "witnesses", ("policy",), ("fresh", "strict"))
        fresh, strict = found.get("fresh"), found.get("strict")
        return Witnesses(
            policy=read.text(found["policy"], "policy") + "\n",
            fresh=FRESH if fresh is None else read.duration(fresh, "fresh"),
            strict=False if strict is None else read.flag(strict, "strict"),
        )

    def _provider(self, at: Path, node: Node) -> Provider:
        read, found = self._read, self._members(at, node, "a provider", ("issuer", "audience", "keys", "role", "unit"))
        keys = [self._thumbprint(one, node) for one in read.texts(found["keys"], "keys")]
        texts = {name: read.text(found[name], name) for name in ("issuer", "audience", "role", "unit")}
        return Provider(keys=keys, **texts)

    def _thumbprint(self, text: str, node: Node) -> bytes:
        try:
            key = base64.urlsafe_b64decode(f"{text}=")
        except ValueError:
            key = b""
        if len(key) != 32 or base64.urlsafe_b64encode(key).decode() != f"{text}=":
            mend = "Write the key's RFC 7638 thumbprint: SHA-256, 43 characters of base64url"
            raise self._read.error(node.line, "a provider's key is no thumbprint", mend)
        return key

    def _rules(self, node: Node | None) -> str:
        if node is None:
            return ""
        if isinstance(node, Scalar) and not node.text.strip():
            return ""
        text = self._read.text(node, "rules")
        return text + "\n"

    def _members(
        self, at: Path, node: Node, what: str, required: Iterable[str], optional: Iterable[str] = ()
    ) -> dict[str, Node]:
        found = self._read.table(node, what, required, optional)
        self._note(at, node, what)
        return found

    def _named(self, at: Path, node: Node, what: str, read: Callable[[Path, Node], T]) -> dict[str, T]:
        """A table whose keys are names of the custodian's choosing."""
        found: dict[str, T] = {}
        self._note(at, node, what)
        for name, (line, member) in self._read.free_table(node, at[-1]).items():
            self._check_name(name, line, what)
            self._lines[*at, name] = line
            found[name] = read((*at, name), member)
        return found

    def _note(self, at: Path, node: Node, what: str) -> None:
        for name, (line, _) in self._read.free_table(node, what).items():
            self._lines[*at, name] = line

    def _name(self, node: Node, what: str) -> str:
        text = self._read.text(node, what)
        self._check_name(text, node.line, what)
        return text

    def _check_name(self, text: str, line: int, what: str) -> None:
        if not _NAME.fullmatch(text):
            mend = "Write a to z, digits and -, beginning with a letter, at most 40"
            raise self._read.error(line, f"{what} cannot be called that", mend)

    def _choice(self, *known: Any) -> Callable[[Node, str], Any]:
        def chosen(node: Node, what: str) -> Any:
            text = self._read.text(node, what)
            if text not in known:
                raise self._read.error(node.line, f"{what} cannot be {text[:40]}", did_you_mean(text, known))
            return text

        return chosen
