"""What must hold between the members of a charter, beyond its schema (SPEC.md section 6.2).

Everything here is said once, for the custodian's source and for the signed document alike: a problem names the path of
members where it is, and the source turns the path into a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

from strongroom.catalog import rules as cedar
from strongroom.catalog import validate_holding, validate_purpose
from strongroom.catalog.model import UNKNOWN, Holding, Provider, Purpose, RoomBudgets, Witnesses
from strongroom.catalog.problem import Problem, one_of, rates
from strongroom.errors import FormatError

MAX_SECONDS = 10 * 365 * 86400

MAX_POLICY = 32_768

# Loopback without TLS is for trying out; nothing on it crosses a network.
_ISSUER = re.compile(r"https://[^\s?#]+|http://(?:127\.0\.0\.1|\[::1\]|localhost)(?::[0-9]+)?(?:/[^\s?#]*)?")

ROOM_NAME = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")


class Catalog(Protocol):
    """The part of a charter that a custodian writes; ``Charter`` and ``Source`` both have it."""

    @property
    def name(self) -> str: ...
    @property
    def delay(self) -> int: ...
    @property
    def heartbeat(self) -> int: ...
    @property
    def holdings(self) -> dict[str, Holding]: ...
    @property
    def purposes(self) -> dict[str, Purpose]: ...
    @property
    def budgets(self) -> RoomBudgets: ...
    @property
    def witnesses(self) -> Witnesses: ...
    @property
    def providers(self) -> dict[str, Provider]: ...
    @property
    def rules(self) -> str: ...


def problems(catalog: Catalog) -> Iterator[Problem]:
    """Everything wrong with a catalog, in its own order."""
    if len(catalog.name) > 100 or not ROOM_NAME.fullmatch(catalog.name):
        yield Problem(("name",), "not a room's name", "Write one such as riverton.example, in lower case")
    if catalog.delay > MAX_SECONDS:
        yield Problem(("delay",), "longer than ten years", "Write a delay such as 72h")
    if not 1 <= catalog.heartbeat <= MAX_SECONDS:
        yield Problem(("heartbeat",), "not between a second and ten years", "Write a heartbeat such as 1h")
    if not catalog.holdings:
        yield Problem(("holdings",), "no holding is declared", "Declare what is held")
    for member, reserved in (("holdings", catalog.holdings), ("purposes", catalog.purposes)):
        if UNKNOWN in reserved:
            yield Problem((member, UNKNOWN), f"{UNKNOWN} is what the ledger calls what it does not know", "Rename it")
    for name, holding in catalog.holdings.items():
        yield from validate_holding.problems(("holdings", name), holding)
    for name, purpose in catalog.purposes.items():
        yield from validate_purpose.problems(("purposes", name), purpose, catalog.holdings)
    yield from rates(("budgets", "room"), catalog.budgets.room)
    for name, listed in catalog.budgets.holdings.items():
        if name not in catalog.holdings:
            yield Problem(("budgets", "holdings", name), f"there is no holding {name}", one_of(catalog.holdings))
        yield from rates(("budgets", "holdings", name), listed)
    yield from _witnesses(catalog.witnesses)
    for name, provider in catalog.providers.items():
        yield from _provider(("providers", name), provider)
    try:
        cedar.check(catalog.rules, cedar.schema(catalog.holdings, catalog.purposes))
    except FormatError as error:
        yield Problem(("rules",), str(error), "See docs of Cedar (docs.cedarpolicy.com) and SPEC.md 6.2")


def _witnesses(witnesses: Witnesses) -> Iterator[Problem]:
    # What the policy says is read where the ledger's keys are: ``ledger.policy``.
    if len(witnesses.policy.encode()) > MAX_POLICY:
        yield Problem(("witnesses", "policy"), f"over {MAX_POLICY:,} bytes", "Name fewer witnesses")
    if not 60 <= witnesses.fresh <= MAX_SECONDS:
        yield Problem(("witnesses", "fresh"), "not between a minute and ten years", "Write one such as 1h")
    if witnesses.strict and not witnesses.policy:
        yield Problem(("witnesses", "strict"), "there is nobody to wait for", "Name witnesses and a quorum in policy")


def _provider(at: tuple[str, ...], provider: Provider) -> Iterator[Problem]:
    if not _ISSUER.fullmatch(provider.issuer) or len(provider.issuer) > 500:
        yield Problem(
            (*at, "issuer"), "not an issuer's address", "Write it as its tokens do, such as https://login.example"
        )
    for name, text in (("audience", provider.audience), ("role", provider.role), ("unit", provider.unit)):
        if not 1 <= len(text) <= 200 or not text.isprintable():
            yield Problem(
                (*at, name), "want 1 to 200 printable characters", f"Write the {name} as the provider's tokens have it"
            )
    if not 1 <= len(provider.keys) <= 20 or len(set(provider.keys)) < len(provider.keys):
        yield Problem((*at, "keys"), "want 1 to 20 thumbprints, each once", "Name the keys that may sign its tokens")
