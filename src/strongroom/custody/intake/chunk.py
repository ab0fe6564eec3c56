"""One chunk of an import: checked, indexed, sealed and stored in one transaction (SPEC.md sections 2 to 4).

The order is the promise: entry and receipt first, then the records with their batch and the mark that the chunk is done,
all at once. Killed anywhere, the chunk is not there at all, and is taken again. A change feed's chunk is taken in steps,
each of which is so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from strongroom.catalog import fields
from strongroom.catalog.model import Holding
from strongroom.custody import erasures, newest
from strongroom.custody.intake import feed, identifiers, verify
from strongroom.custody.intake.feed import Eraser
from strongroom.custody.intake.identifiers import Bound, Columns, Identifiers
from strongroom.custody.intake.made import Done, Errands, Made, Mark, Named, Ready, Sealed
from strongroom.custody.intake.matching import Matched, Matcher
from strongroom.custody.intake.rows import Chunk
from strongroom.custody.intake.sealing import Records, Sealer, uncollected
from strongroom.custody.intake.values import Parser, Values
from strongroom.custody.intake.window import Window, index
from strongroom.custody.room import Room
from strongroom.errors import StoreError
from strongroom.seal.columns import split
from strongroom.store.rows import join_tokens

_TRIES = 5


class Taker:
    """Takes chunks of one import into an open room; ``eraser`` is for those of a change feed, ``turn`` is waited for to store."""

    def __init__(
        self,
        room: Room,
        errands: Errands,
        eraser: Eraser | None = None,
        turn: AbstractContextManager[object] | None = None,
    ) -> None:
        self._room, self._errands, self._eraser = room, errands, eraser
        self._turn = turn or nullcontext()
        self._parser = Parser(errands.layout)
        self._holding, self._key = errands.layout.holding, errands.layout.key
        if errands.job:  # to name a holding is to write it down
            self._keys, self._number = room.keys.holding(errands.holding), room.holding(errands.holding)
            self._sealer = Sealer(room, errands.holding, self._holding)
        self._persons = {one.person for one in self._holding.compartments.values()}

    def take(self, chunk: Chunk, window: Window | None) -> Done:
        """Take the good rows of ``chunk`` in; without a job's name only check them. ``window`` is for identifiers.

        Raises ``Refused``, ``KeyholderUnavailable``, ``LedgerError``, ``StoreError``: then nothing of it was stored, or
        of a change feed's chunk its first steps were; the chunk is not done, and is taken up again.
        """
        if not self._errands.job:
            values = self._parser.parse(chunk)
            odd = _odd(self._holding, values)
            return Done(chunk.number, values.count, values.bad, chunk.end, (), values.errors, odd)
        if not self._key:
            return self.take_all([(chunk, window)])[0]
        with uncollected():
            return self._take_keyed(chunk, window)

    def take_all(self, work: Sequence[tuple[Chunk, Window | None]]) -> list[Done]:
        """Take several chunks in, each with its batch, and all of them in one transaction. Not of an upsert. Raises as ``take``.

        They are sealed first, which needs nobody, and the keyholder is asked when it is our turn: its entry goes into the mirror,
        which else would wait, and all that is still to be sealed with it, until another worker's chunks are stored.
        """
        with uncollected():
            ready = [self._ready(chunk) for chunk, _ in work]
            with self._turn:
                found = [self._found(one, window) for one, (_, window) in zip(ready, work, strict=True)]
                with self._room.store.together():
                    for one, (_, made) in zip(ready, found, strict=True):
                        self._put(one.mark, made)
            for one, (_, made) in zip(ready, found, strict=True):
                self._verify(one.mark, made)
        return [done for done, _ in found]

    def _ready(self, chunk: Chunk) -> Ready:
        values = self._parser.parse(chunk)
        done = Done(chunk.number, values.count, values.bad, chunk.end)
        mark = Mark(chunk.number, values.errors)
        if not values.count:
            return Ready(done, mark, None, {})
        handles = self._drawn(values.columns)
        bound = identifiers.derive(self._keys, self._holding, values.columns).bind(self._keys, handles)
        return Ready(done, mark, self._seal(handles, [1] * len(handles), bound, values.columns), bound.sent)

    def _found(self, ready: Ready, window: Window | None) -> tuple[Done, Made | None]:
        """With what its records are found by."""
        if ready.sealed is None:
            return ready.done, None
        entries: list[int] = []
        tokens = self._indexed(ready.sent, window, entries)
        made = ready.sealed.found_by(_joined(tokens, len(ready.sealed.handles)))
        return replace(ready.done, entries=tuple(entries)), made

    def _take_keyed(self, chunk: Chunk, window: Window | None) -> Done:
        values, entries = self._parser.parse(chunk), list[int]()
        if not values.count:
            self._put(Mark(chunk.number, values.errors), None)
        elif values.deletes:
            self._take_steps(chunk, values, window, entries)
        else:
            self._take(Mark(chunk.number, values.errors), values.columns, window, entries)
        return Done(chunk.number, values.count, values.bad, chunk.end, tuple(entries))

    def _take_steps(self, chunk: Chunk, values: Values, window: Window | None, entries: list[int]) -> None:
        """The steps of a change feed's chunk, those left out that an earlier run has done."""
        assert self._eraser is not None
        done = self._room.store.jobs.chunks(self._errands.job)
        found = identifiers.derive(self._keys, self._holding, values.columns, [self._key])
        plan = feed.steps(found.own[self._key], values.deletes)
        for at, step in enumerate(plan):
            last = at == len(plan) - 1
            stored = Mark(
                chunk.number if last and not step.gone else feed.mark(chunk.number, 2 * at),
                values.errors if at == 0 else [],
            )
            if stored.number not in done:
                columns = {name: [column[row] for row in step.stored] for name, column in values.columns.items()}
                if step.stored:
                    self._take(stored, columns, window, entries)
                else:
                    self._put(stored, None)
            gone = Mark(chunk.number if last else feed.mark(chunk.number, 2 * at + 1), [], len(step.gone))
            if step.gone and gone.number not in done:
                inners = [found.own[self._key][row] for row in step.gone]
                self._eraser.erase(self._indexed({self._key: inners}, window, entries)[self._key])
                self._put(gone, None)

    def _take(
        self, mark: Mark, columns: Mapping[str, Sequence[str | None]], window: Window | None, entries: list[int]
    ) -> None:
        self._verify(mark, self._stored(mark, columns, window, entries))
        newest.tell(self._room, self._errands.holding)

    def _verify(self, mark: Mark, made: Made | None) -> None:
        if made and made.records:
            verify.read_back(self._room, self._errands.holding, self._holding, made.records, made.sealed, made.secret)
            self._room.store.jobs.verify(self._errands.job, mark.number)

    def _stored(
        self, mark: Mark, columns: Mapping[str, Sequence[str | None]], window: Window | None, entries: list[int]
    ) -> Made:
        """Match, index, seal and store."""
        found = identifiers.derive(self._keys, self._holding, columns)
        drawn = self._drawn(columns)
        matcher = self._matcher(found, drawn, window, entries)
        # An erased record must not be found by its token: its next version, and all of that batch, could not be resealed.
        erasures.settle(self._room, self._errands.holding)
        named: Named | None = None
        for attempt in range(1, _TRIES + 1):
            named = self._named(found, drawn, matcher, named, window, entries)
            made = self._seal(named.handles, named.versions, named.bound, columns).found_by(named.tokens)
            try:
                self._put(mark, made)
            except StoreError:
                # Somebody may have written a version of a record that this chunk has the next one of: look again.
                if not self._overtaken(named) or attempt == _TRIES:
                    raise
            else:
                return made
        raise AssertionError("unreachable")

    def _drawn(self, columns: Mapping[str, Sequence[object]]) -> list[bytes]:
        return split(self._room.random(16 * len(next(iter(columns.values())))), 16)

    def _seal(
        self, handles: list[bytes], versions: list[int], bound: Bound, columns: Mapping[str, Sequence[str | None]]
    ) -> Sealed:
        whos = {one: bound.whos(self._keys, one, handles) for one in self._persons}
        records = Records(handles, versions, whos, [], columns)
        batch, public = self._sealer.open()
        rows = self._sealer.fill(batch, records)
        secret = batch.secret if self._errands.verify else b""
        closed = self._sealer.close(batch, public)
        return Sealed(handles, versions, rows, closed, records if secret else None, secret)

    def _put(self, mark: Mark, made: Made | None) -> None:
        sealed = made.sealed if made else None
        self._room.store.put_chunk(
            self._number,
            sealed.rows if sealed else [],
            [sealed.batch] if sealed else [],
            job=self._errands.job,
            chunk=mark.number,
            errors=mark.errors,
            besides=mark.besides,
        )

    def _matcher(self, found: Identifiers, drawn: list[bytes], window: Window | None, entries: list[int]) -> Matcher:
        holding = (self._errands.holding, self._holding)
        return Matcher(self._room, holding, self._key, found, drawn, lambda sent: self._indexed(sent, window, entries))

    def _named(
        self,
        found: Identifiers,
        drawn: list[bytes],
        matcher: Matcher | None,
        before: Named | None,
        window: Window | None,
        entries: list[int],
    ) -> Named:
        """Which records the rows are, and their tokens: those of an earlier try stay good for the same handles."""
        matched = matcher.match() if matcher else Matched(drawn, [1] * len(drawn), {})
        if before and before.handles == matched.handles:
            return Named(matched.handles, matched.versions, before.bound, before.tokens)
        bound = found.bind(self._keys, matched.handles)
        tokens = dict(matched.persons)
        if matcher and self._key not in tokens:
            tokens[self._key] = matcher.keyed
            left = found.beside(self._key, bound)
        else:
            left = bound.sent
        tokens |= self._indexed({name: left[name] for name in left if name not in tokens}, window, entries)
        return Named(matched.handles, matched.versions, bound, _joined(tokens, len(drawn)))

    def _indexed(self, inners: Columns, window: Window | None, entries: list[int]) -> Columns:
        if not inners:
            return {}
        assert window is not None
        found = index(self._room, window, inners)
        entries += found.entries
        return found.tokens

    def _overtaken(self, records: Named) -> bool:
        first: dict[bytes, int] = {}
        for handle, version in zip(records.handles, records.versions, strict=True):
            first.setdefault(handle, version)
        latest = self._room.store.latest_versions(self._number, first)
        return any(latest.get(handle, 0) != version - 1 for handle, version in first.items())


def _joined(tokens: Columns, count: int) -> list[bytes]:
    """What each of ``count`` records is found by."""
    return [join_tokens(set(row)) for row in zip(*tokens.values(), strict=True)] or [b""] * count


def _odd(holding: Holding, values: Values) -> Counter[tuple[str, str]]:
    """What is accepted and yet looks wrong: an identity number of a region that there is not, say."""
    return Counter(
        (name, what)
        for name, declared in holding.fields.items()
        for value in values.columns[name]
        if value is not None
        for what in fields.warnings(declared, value)
    )
