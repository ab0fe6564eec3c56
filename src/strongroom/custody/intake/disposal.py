"""Whether a source may be destroyed once its records are in: what must hold before they are taken, and what after.

Before: it is a file that can be destroyed, and nothing in it would be lost that no field takes. After: no row was left out,
and every chunk was read back and opened (``verify``) before its secret was forgotten.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice

from strongroom.custody.intake import destroy
from strongroom.custody.intake.destroy import Destroyed
from strongroom.custody.intake.report import Report
from strongroom.custody.intake.source import Records
from strongroom.errors import InputError

_SHOWN = 5


def before(records: Records, lose: Collection[str] = ()) -> None:
    """``lose``: columns that go into no field and may be lost. Raises ``InputError``."""
    if refused := destroy.refusal(records.format, records.mark):
        raise InputError(f"{records.title} is not to be destroyed here: {refused}")
    assert records.mark is not None
    destroy.check(records.mark)
    unused = records.unused()
    if wrong := [name for name in lose if name not in unused]:
        raise InputError(f"{records.title}: a field takes {wrong[0]}, or it is not there. Leave it out of --lose")
    left = [shown for name, shown in unused.items() if name not in lose]
    if left:
        some = ", ".join(islice(left, _SHOWN)) + (", ..." if len(left) > _SHOWN else "")
        raise InputError(
            f"{records.title}: no field takes {some}, which would be lost with the file. Map it, or name it with --lose"
        )


def after(report: Report) -> Destroyed:
    """Destroy what ``report`` is of. Raises ``InputError``: it is left, and why."""
    assert report.mark is not None
    kept = f"{report.mark.path} is left as it is"
    if report.bad:
        raise InputError(
            f"{kept}: what was left out of it (rows: {report.bad:,}) is nowhere else. Mend that in a file of its own, take it "
            "in, and remove this one yourself"
        )
    if not report.verified:
        raise InputError(
            f"{kept}: some of it was taken in without being read back, by an earlier run or one that was killed, and that "
            "cannot be made up for. Read some of its records, and remove it yourself; or --again takes it in once more"
        )
    return destroy.destroy(report.mark)
