"""The charter as a custodian writes it: YAML, with the line of everything (SPEC.md section 6.7; examples/city)."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from strongroom.catalog.model import (
    Charter,
    Holding,
    KeyholderKeys,
    Provider,
    Purpose,
    RoomBudgets,
    VaultKeys,
    Witnesses,
)
from strongroom.catalog.source_holding import holding
from strongroom.catalog.source_members import U16, Members, Path
from strongroom.catalog.source_purpose import purpose
from strongroom.catalog.validate import problems
from strongroom.catalog.yamltree import Node, Scalar
from strongroom.errors import CatalogError

HEARTBEAT = 3600
MERGE_UNITS_BELOW = 3
FRESH = 3600
NO_WITNESSES = Witnesses(policy="", fresh=FRESH, strict=False)


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
    on = Members(name)
    return _charter(on, on.read.document(text))


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


def _charter(on: Members, root: Node) -> Source:
    required = ("name", "delay", "holdings", "purposes")
    optional = ("heartbeat", "merge-units-below", "budgets", "witnesses", "providers", "rules")
    found = on.members((), root, "the charter", required, optional)
    read, budgets = on.read, found.get("budgets")
    heartbeat, merge, rules = found.get("heartbeat"), found.get("merge-units-below"), found.get("rules")
    witnesses, providers = found.get("witnesses"), found.get("providers")
    return Source(
        file=read.file,
        name=read.text(found["name"], "name"),
        delay=read.duration(found["delay"], "delay"),
        heartbeat=HEARTBEAT if heartbeat is None else read.duration(heartbeat, "heartbeat"),
        merge_units_below=MERGE_UNITS_BELOW if merge is None else read.number(merge, "merge-units-below", U16),
        holdings=on.named(("holdings",), found["holdings"], "a holding", partial(holding, on)),
        purposes=on.named(("purposes",), found["purposes"], "a purpose", partial(purpose, on)),
        budgets=RoomBudgets(room=[], holdings={}) if budgets is None else _budgets(on, budgets),
        witnesses=NO_WITNESSES if witnesses is None else _witnesses(on, ("witnesses",), witnesses),
        providers={}
        if providers is None
        else on.named(("providers",), providers, "a provider", partial(_provider, on)),
        rules=_rules(on, rules),
        lines=on.lines,
    )


def _budgets(on: Members, node: Node) -> RoomBudgets:
    at = ("budgets",)
    found = on.members(at, node, "budgets", (), ("room", "holdings"))
    return RoomBudgets(
        room=on.read.texts(found["room"], "room") if "room" in found else [],
        holdings=on.named(
            (*at, "holdings"), found["holdings"], "a holding", lambda _, rates: on.read.texts(rates, "rates")
        )
        if "holdings" in found
        else {},
    )


def _witnesses(on: Members, at: Path, node: Node) -> Witnesses:
    read, found = on.read, on.members(at, node, "witnesses", ("policy",), ("fresh", "strict"))
    fresh, strict = found.get("fresh"), found.get("strict")
    return Witnesses(
        policy=read.text(found["policy"], "policy") + "\n",
        fresh=FRESH if fresh is None else read.duration(fresh, "fresh"),
        strict=False if strict is None else read.flag(strict, "strict"),
    )


def _provider(on: Members, at: Path, node: Node) -> Provider:
    read, found = on.read, on.members(at, node, "a provider", ("issuer", "audience", "keys", "role", "unit"))
    keys = [_thumbprint(on, one, node) for one in read.texts(found["keys"], "keys")]
    texts = {name: read.text(found[name], name) for name in ("issuer", "audience", "role", "unit")}
    return Provider(keys=keys, **texts)


def _thumbprint(on: Members, text: str, node: Node) -> bytes:
    try:
        key = base64.urlsafe_b64decode(f"{text}=")
    except ValueError:
        key = b""
    if len(key) != 32 or base64.urlsafe_b64encode(key).decode() != f"{text}=":
        mend = "Write the key's RFC 7638 thumbprint: SHA-256, 43 characters of base64url"
        raise on.read.error(node.line, "a provider's key is no thumbprint", mend)
    return key


def _rules(on: Members, node: Node | None) -> str:
    if node is None:
        return ""
    if isinstance(node, Scalar) and not node.text.strip():
        return ""
    text = on.read.text(node, "rules")
    return text + "\n"
