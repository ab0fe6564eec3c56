"""A problem that the vault states (RFC 9457), as the exception that the same thing is inside the house (SPEC.md section 10.2)."""

from __future__ import annotations

import msgspec

from strongroom import errors
from strongroom.api.problem import MEDIA_TYPE, Problem
from strongroom.client.flow import Answer
from strongroom.errors import FormatError, InputError, KeyholderUnavailable, Refused, StrongroomError

_problem = msgspec.json.Decoder(Problem)
_MOST_ROWS = 5
_LONGEST = 500
_OURS = frozenset({404, 405, 408, 413, 415, 422})
"""What was sent is not what is taken: nobody refused anything."""

_BY_CODE: dict[str, type[StrongroomError]] = {
    kind.code: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, StrongroomError) and kind.__init__ is StrongroomError.__init__
}


def problem(answer: Answer) -> StrongroomError:
    """What to raise for an answer that is none of those that were asked for: of the classes of ``errors`` the one of its code, else
    ``Refused``; ``KeyholderUnavailable`` where nobody can tell whether it was refused. A vault's text is cut and has no controls."""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        found = _problem.decode(answer.body) if kind == MEDIA_TYPE else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    if found is None:
        return _unspoken(answer.status)
    return of_problem(found)


def of_problem(found: Problem) -> StrongroomError:
    """The same for one that stands in a line of a stream."""
    detail = found.detail
    for row in found.rows[:_MOST_ROWS]:
        detail += f"; record {row.row}{f', {row.field}' if row.field else ''}: {row.reason}"
    if len(found.rows) > _MOST_ROWS:
        detail += f"; and {len(found.rows) - _MOST_ROWS} more"
    if found.entry is not None:
        detail += f" (entry {found.entry})"
    code, detail = _plain(found.code)[:40], _plain(detail)[:_LONGEST]
    if code in _BY_CODE:
        return _BY_CODE[code](detail)
    if found.status >= 500:
        # Which of the houses it is stands in the title.
        return KeyholderUnavailable(f"{_plain(found.title)[:_LONGEST]}: {detail}")
    return InputError(detail) if found.status in _OURS else Refused(code, detail)


def _unspoken(status: int) -> StrongroomError:
    """From something that stands before the vault, or is none."""
    if status >= 500:
        return KeyholderUnavailable(f"the vault did not answer (status {status})")
    if status in (401, 403):
        return Refused("identity", f"what stands before the vault wants to know who asks (status {status})")
    if status == 404:
        return InputError("there is no such thing at this address: is it a vault's?")
    return FormatError(f"the answer is none of the vault's API (status {status})")


def _plain(text: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in text)
