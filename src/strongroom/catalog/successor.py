"""Which charter may follow which (SPEC.md section 6.5): what is sealed already must stay readable, and mean the same."""

from __future__ import annotations

from collections.abc import Iterator

from strongroom.catalog.model import Charter, Field, Holding
from strongroom.catalog.types import kind
from strongroom.errors import CatalogError


def follow(old: Charter, old_hash: bytes, new: Charter) -> None:
    """Raises ``CatalogError`` unless ``new`` may follow ``old``, whose charter hash is ``old_hash``."""
    if new.version != old.version + 1:
        raise _broken("version", f"{new.version} does not follow {old.version}", "Count on by one")
    if new.previous != old_hash:
        raise _broken("previous", "is not the hash of the charter in force", "Build on the charter in force")
    for place, was, becomes in (
        ("room", old.room, new.room),
        ("name", old.name, new.name),
        ("keyholder.message", old.keyholder.message, new.keyholder.message),
        ("keyholder.log", old.keyholder.log, new.keyholder.log),
        ("keyholder.ml_dsa", old.keyholder.ml_dsa, new.keyholder.ml_dsa),
    ):
        if was != becomes:
            raise _broken(place, "is permanent: what is sealed and logged is bound to it", "Put it back")
    for name, holding in old.holdings.items():
        if name not in new.holdings:
            raise _broken(f"holdings.{name}", "is gone, while its records are still kept", "Put it back")
        for place, problem, mend in _holding(holding, new.holdings[name]):
            raise _broken(f"holdings.{name}.{place}", problem, mend)
        for found, root in old.buckets[name].items():
            if new.buckets[name].get(found) != root:
                raise _broken(f"buckets.{name}.{found}", "the root of an identifier's keys is permanent", "Put it back")


def _holding(old: Holding, new: Holding) -> Iterator[tuple[str, str, str]]:
    taken = {compartment.number: name for name, compartment in old.compartments.items()}
    for name, was in old.compartments.items():
        becomes = new.compartments.get(name)
        if becomes is None or becomes.number != was.number:
            # A number let go could be taken up two charters later, when nobody remembers what it sealed.
            yield f"compartments.{name}", f"a compartment stays, with its number {was.number}", "Put it back"
        elif becomes.person != was.person:
            # With this no field that exists becomes a primary identifier: it would have to be its compartment's person.
            problem = f"was about {was.person or 'nobody'}, whose chain its reads are on"
            yield f"compartments.{name}.person", problem, "Put it back, or declare another compartment"
    for name, compartment in new.compartments.items():
        if taken.get(compartment.number, name) != name:
            problem = f"number {compartment.number} was {taken[compartment.number]}'s"
            yield f"compartments.{name}", problem, "Take a number never used"
    for name, field in old.fields.items():
        if name not in new.fields:
            yield f"fields.{name}", "is gone, while its values are still kept", "Put it back; no purpose need read it"
        else:
            for member, problem in _field(name, field, new.fields[name]):
                yield f"fields.{name}.{member}", problem, "Put it back, or declare another field"


def _field(name: str, old: Field, new: Field) -> Iterator[tuple[str, str]]:
    if new.type != old.type:
        yield "type", f"was {old.type}; a field's type is permanent"
    if new.compartment != old.compartment:
        yield "compartment", f"was {old.compartment}, where its values are sealed"
    if old.identifier not in (new.identifier, "none"):
        yield "identifier", f"was {old.identifier} of kind {kind(name, old)}, under which it is indexed"
    if old.values != new.values[: len(old.values)]:
        yield "values", "values are removed or reordered; new ones go to the end"
    if new.region != old.region and old.identifier != "none":
        yield "region", f"was {old.region or 'none'}; the same number would be found under another form"


def _broken(place: str, problem: str, mend: str) -> CatalogError:
    return CatalogError(f"charter: {place}", problem, mend)
