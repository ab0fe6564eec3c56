"""A room, as an application asks it.

Every answer is proved before it is given: that it is in the ledger, that it is about the very ask that was signed here, and that the ledger
is the one it was. Where that fails a ``LedgerError`` says what is wrong, and nothing is returned. docs/client.md shows it at work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

from strongroom.api.facts import Budgets
from strongroom.catalog.model import Test
from strongroom.client.anchors import Anchors
from strongroom.client.answers import (
    Checked,
    Corrected,
    Disclosed,
    Erased,
    Exported,
    Found,
    InForce,
    Proved,
    TakenIn,
    Witnessed,
)
from strongroom.client.device import Device
from strongroom.client.exchange import Context
from strongroom.client.flow import Flow, Give
from strongroom.client.handle import HandleLike
from strongroom.client.memory import Memory
from strongroom.client.settings import TIMEOUT, Countersign, Headers, Place, core, no_headers, where
from strongroom.client.sockets import Wire

T = TypeVar("T")


class Room:
    """``address``: of the vault. ``device``: the key that signs asks, or its file. ``anchors``: what the room is known by, or their file.

    ``state``: where the last checkpoint is kept (``client.memory``; default: a file of this user's). ``ca_file``: who vouches for the vault's
    certificate. ``headers``: what else each request carries. ``countersign``: has a second signature put under an ask, where the purpose wants
    one. ``timeout``: seconds that the vault may be silent. Threads may share one.

    Everything raises ``Refused`` (``code`` says why: SPEC.md section 8.6), ``KeyholderUnavailable`` when there is no answer, ``LedgerError`` when one
    is not proved, ``FormatError`` when it is not of what was asked, ``InputError`` and ``ValueRejected`` for what cannot be asked. Records are named by their handles.
    """

    def __init__(
        self,
        address: str,
        *,
        device: Device | Place,
        anchors: Anchors | Place,
        state: Place | Memory | None = None,
        ca_file: Place | None = None,
        headers: Headers = no_headers,
        countersign: Countersign | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        where_, tls = where(address, ca_file)
        self._core = core(device, anchors, state, countersign)
        self._wire = Wire(where_, tls, timeout, headers)

    # --- reading -----------------------------------------------------------------------------------------------------
    def find(self, holding: str, purpose: str, kind: str, value: str, *, case: str, reason: str) -> Found:
        """Is the person whose identifier of this ``kind`` is ``value`` here?"""
        return self._run(self._core.find(holding, purpose, kind, value, Context(case, reason)))

    def disclose(
        self,
        holding: str,
        purpose: str,
        records: Iterable[HandleLike],
        fields: Iterable[str],
        *,
        case: str,
        reason: str,
        version: int = 0,
    ) -> Disclosed:
        """These fields of these records, masked as the purpose says, in one ask; of their newest version, or that old one."""
        return self._run(self._core.disclose(holding, purpose, records, fields, Context(case, reason), version))

    def disclose_many(
        self,
        holding: str,
        purpose: str,
        records: Iterable[HandleLike],
        fields: Iterable[str],
        *,
        case: str,
        reason: str,
        version: int = 0,
    ) -> Iterator[Disclosed]:
        """However many records, in as many asks as they need; each is signed when the one before has been taken."""
        return self._each(self._core.disclose_many(holding, purpose, records, fields, Context(case, reason), version))

    def check(
        self,
        holding: str,
        purpose: str,
        records: Iterable[HandleLike],
        field: str,
        test: Test,
        value: str | None = None,
        *,
        case: str,
        reason: str,
    ) -> Checked:
        """Does ``test`` hold of this field? ``value``: what it is compared with, where it is. No value is shown."""
        return self._run(self._core.check(holding, purpose, records, field, test, value, Context(case, reason)))

    def export(
        self,
        holding: str,
        purpose: str,
        fields: Iterable[str],
        count: int,
        *,
        case: str,
        reason: str,
        records: Iterable[HandleLike] | None = None,
    ) -> Iterator[Exported]:
        """These fields of up to ``count`` records, of those named or of all, a batch at a time. It is not begun again by itself: what was given
        stands in the ledger."""
        return self._each(self._core.export(holding, purpose, fields, count, Context(case, reason), records))

    # --- writing -----------------------------------------------------------------------------------------------------
    def take_in(
        self, holding: str, purpose: str, records: Iterable[Mapping[str, str | None]], *, case: str, reason: str
    ) -> TakenIn:
        """New records (field -> text as written), all or none; a handle for each, in their order. At most 10,000."""
        return self._run(self._core.take_in(holding, purpose, records, Context(case, reason)))

    def take_in_many(
        self, holding: str, purpose: str, records: Iterable[Mapping[str, str | None]], *, case: str, reason: str
    ) -> Iterator[TakenIn]:
        """However many, 10,000 to an ask."""
        return self._each(self._core.take_in_many(holding, purpose, records, Context(case, reason)))

    def correct(
        self,
        holding: str,
        purpose: str,
        records: Iterable[HandleLike],
        values: Mapping[str, str | None],
        *,
        case: str,
        reason: str,
        intake: str = "",
    ) -> Corrected:
        """Give these fields other values; None empties one. ``intake``: the purpose under which identifiers are indexed anew, where it is
        another."""
        return self._run(self._core.correct(holding, purpose, records, values, Context(case, reason), intake))

    def erase(self, holding: str, purpose: str, records: Iterable[HandleLike], *, case: str, reason: str) -> Erased:
        """Open these records never again."""
        return self._run(self._core.erase(holding, purpose, records, Context(case, reason)))

    # --- what anybody may know ---------------------------------------------------------------------------------------
    def charter(self) -> InForce:
        """The one in force, its whole chain proved back to the anchors' first."""
        return self._run(self._core.charter())

    def receipt(self, entry: int) -> Proved:
        """Any entry of the ledger, with a proof of today."""
        return self._run(self._core.receipt(entry))

    def witnessed(self) -> Witnessed:
        """That a quorum of the charter's witnesses has cosigned this very ledger, and lately: for who begins without a memory of it. Of what is
        published; the vault's word that it is the newest is not wanted, since it must be fresh."""
        return self._run(self._core.witnessed())

    def budgets(self, holding: str, purpose: str) -> Budgets:
        """What is left to this reader; the vault's word, which nothing proves."""
        return self._run(self._core.budgets(holding, purpose))

    # --- driving -----------------------------------------------------------------------------------------------------
    def close(self) -> None:
        """Hang up."""
        self._wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, flow: Flow[T]) -> T:
        with self._wire.turn() as turn:
            try:
                step = next(flow)
                while True:
                    came, broken = turn.take(step)
                    step = flow.throw(broken) if broken else flow.send(came)
            except StopIteration as end:
                found: T = end.value
                return found
            finally:
                flow.close()

    def _each(self, flow: Flow[None]) -> Iterator[Any]:
        with self._wire.turn() as turn:
            try:
                step = next(flow)
                while True:
                    if isinstance(step, Give):
                        yield step.item
                        step = next(flow)
                        continue
                    came, broken = turn.take(step)
                    step = flow.throw(broken) if broken else flow.send(came)
            except StopIteration:
                return
            finally:
                flow.close()
