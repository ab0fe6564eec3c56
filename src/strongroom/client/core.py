"""Everything that a room's client says and believes, as flows that do no I/O themselves (``flow``): what it reads, what it writes, and
what anybody may know."""

from __future__ import annotations

from strongroom.api import facts
from strongroom.client import messages
from strongroom.client.answers import InForce, Proved, Witnessed
from strongroom.client.flow import Flow
from strongroom.client.reading import Reading
from strongroom.client.writing import Writing
from strongroom.errors import InputError, TileError
from strongroom.ledger import policy as policies
from strongroom.ledger import witnessed as witnesses


class Core(Reading, Writing):
    """One room, as one device asks it."""

    def charter(self) -> Flow[InForce]:
        return (yield from self._rules.in_force())

    def receipt(self, index: int) -> Flow[Proved]:
        yield from self._rules.in_force()
        found = yield from self._receipt_of(index)
        text = yield from self._believer.proved(index, found)
        return Proved(index, found, text.decode())

    def witnessed(self) -> Flow[Witnessed]:
        charter = (yield from self._rules.in_force()).charter
        if not charter.witnesses.policy:
            raise InputError("the charter names no witnesses")
        data = yield from self._ledger_file(witnesses.PATH)
        if data is None:
            raise TileError(
                "the vault shows nothing that witnesses have cosigned: it has published nothing, or keeps it back"
            )
        policy, fresh = policies.of_charter(charter), charter.witnesses.fresh
        return (yield from self._believer.witnessed(messages.note(data), policy, fresh, self._now()))

    def budgets(self, holding: str, purpose: str) -> Flow[facts.Budgets]:
        path = f"/v1/budgets?purpose={messages.name_text(purpose)}&holding={messages.name_text(holding)}&reader={self.device.reader.hex()}"
        return messages.budgets((yield from self._get(path)))
