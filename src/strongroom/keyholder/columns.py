"""Whether a request's columns make sense, before anything else is looked at (SPEC.md section 8.1)."""

from __future__ import annotations

from operator import lt

from strongroom.errors import Refused
from strongroom.keyholder import protocol
from strongroom.keyholder.case import Case
from strongroom.seal import slot


def read_slots(case: Case, request: protocol.Slots) -> None:
    """Split the columns of slots into the case. Raises ``Refused`` (``malformed``)."""
    count, rest = divmod(len(request.handles), 16)
    widths = (len(request.versions), len(request.compartments), len(request.masked), len(request.batch))
    if rest or not 1 <= count <= protocol.MAX_SLOTS or widths != (4 * count, 2 * count, 16 * count, 2 * count):
        raise Refused("malformed", "the columns are not of one length")
    if request.deltas and len(request.deltas) != 32 * count:
        raise Refused("malformed", "one delta a slot is wanted, or none at all")
    check_batches(request.batches, request.epochs, request.expires, request.members)
    case.handles = slot.split(request.handles, 16)
    case.versions, case.compartments = slot.u32s(request.versions), slot.u16s(request.compartments)
    if not all(case.versions) or not all(case.compartments):
        raise Refused("malformed", "versions and compartments are numbered from 1")
    order = list(zip(case.handles, case.compartments, strict=True))
    if not all(map(lt, order, order[1:])):
        raise Refused("malformed", "slots must be sorted by handle and compartment, and distinct")
    if max(slot.u16s(request.batch)) >= len(request.batches):
        raise Refused("malformed", "a slot names a batch that is not there")


def check_batches(batches: list[bytes], epochs: list[int], expires: list[int], members: bytes) -> None:
    """Raises ``Refused`` (``malformed``)."""
    if not len(batches) == len(epochs) == len(expires) == len(members) / 32:
        raise Refused("malformed", "one epoch, one expiry and one hash of its members a batch is wanted")


def check_inners(request: protocol.Intake) -> None:
    """Raises ``Refused`` (``malformed``)."""
    if len(set(request.fields)) != len(request.fields):
        raise Refused("malformed", "an identifier field stands twice")
    if len(request.inners) != len(request.fields) or any(len(column) % 32 for column in request.inners):
        raise Refused("malformed", "the columns are not of the width of an inner")
    if not 1 <= sum(map(len, request.inners)) // 32 <= protocol.MAX_INNERS:
        raise Refused("malformed", f"an intake call has 1 to {protocol.MAX_INNERS} identifiers")
