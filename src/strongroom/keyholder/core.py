"""The second lock: no key without a receipt (SPEC.md section 8).

``Keyholder.commit`` takes all requests that arrived meanwhile, decides each in order, and writes budgets, tags, used asks and entries
of all of them in ONE transaction. Only after that commit is a checkpoint signed and a share handed out; a request that fails leaves no
trace but its refusal, and one that breaks the transaction breaks its own alone. Everything runs in one thread: the order of commits is
the order of the ledger.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from strongroom.canonical import Record
from strongroom.catalog.model import Charter, RosterLine
from strongroom.errors import FormatError, Refused, StoreError, StrongroomError
from strongroom.gate.budget import State
from strongroom.keyholder import protocol, rounds, routes
from strongroom.keyholder.book import Book
from strongroom.keyholder.clock import Clock
from strongroom.keyholder.epochfiles import EpochFiles
from strongroom.keyholder.epochs import Epochs, SealedBatch
from strongroom.keyholder.inforce import InForce
from strongroom.keyholder.keys import Keys
from strongroom.keyholder.store import Store
from strongroom.keyholder.work import Outcome, Work
from strongroom.ledger import tag
from strongroom.seal import ids, token
from strongroom.seal.series import SeriesSealer

log = logging.getLogger("strongroom.keyholder")

T = TypeVar("T")

_PSEUDONYMS = 10_000


def _finish(outcome: Outcome, store: Store) -> Record | StrongroomError:
    # One answer that cannot be sealed (a key of small order), or a full disk under the public files, must not take
    # the others of its group along: they are in the book.
    try:
        return outcome.finish()
    except StrongroomError as error:
        return error
    except (OSError, sqlite3.Error) as error:
        log.error("an answer could not be made: %s", store.failed(error))
        return StoreError(
            f"the keyholder wrote its book but could not answer ({_reason(error)}); its operator has to mend that. Then send the"
            " same request again"
        )


def _reason(error: OSError | sqlite3.Error) -> str:
    """For the vault: nothing of the keyholder's own files."""
    return (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__


class Keyholder:
    """The keyholder's decisions over its store. Not for several threads.

    ``genesis`` is the hash of the first charter, brought by ceremony; any other first charter is refused.
    """

    def __init__(
        self,
        store: Store,
        keys: Keys,
        epochs: EpochFiles,
        genesis: bytes,
        public: Path,
        clock: Clock | None = None,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.store, self.keys, self.genesis, self.public = store, keys, genesis, public
        self.clock, self.random = clock or Clock(), random
        self.book = Book(store, keys)
        self.charters = [InForce(*row) for row in store.charters()]
        self.epochs = Epochs(store, epochs, keys.room, ids.keyholder_id(keys.message_public))
        self._pseudonyms: dict[tuple[bytes, int], bytes] = {}
        self._index_keys: dict[tuple[str, str], bytes] = {}
        self._series: SeriesSealer | None = None
        self.wrong_codes: deque[int] = deque()
        # Facts of the transaction at hand (checks.Facts).
        self.room = keys.room
        self._current: InForce | None = None
        self._holding_ids: dict[str, bytes] = {}
        self.budgets_forgotten = 0
        # When the book was last recovered from a mirror; 0 for never.
        self.recovered = int(store.state("recovered") or b"0")
        # Until when nothing is written of its own accord (``rounds``); None: it may.
        self.quiet: int | None = rounds.FOREVER if store.state("recovering") else None
        # When a request of the vault was last dated as this clock is (``rounds``); None: not since the start.
        self.agreed: int | None = None
        # When it was last logged that keys wait for that.
        self.waiting_logged = 0
        # Whether what is in memory may be ahead of the store: a transaction failed, and rereading the store too.
        self._torn = False

    # --- facts ---------------------------------------------------------------------------------------------------
    @property
    def charter(self) -> Charter:
        return self.in_force().charter

    @property
    def charter_hash(self) -> bytes:
        return self.in_force().hash

    @property
    def roster(self) -> dict[bytes, RosterLine]:
        return self.in_force().roster

    @property
    def persons(self) -> Mapping[str, Mapping[int, str]]:
        return self.in_force().persons

    def in_force(self) -> InForce:
        if self._current is None:
            raise Refused("charter", "no charter is in force yet")
        return self._current

    def set_time(self, now: int) -> None:
        effective = [item for item in self.charters if item.effective <= now]
        self._current = effective[-1] if effective else None

    def used(self, ask_hash: bytes, until: int) -> tuple[bytes, int, int, int] | None:
        return self.store.ask(ask_hash, until)

    def frozen(self) -> list[str]:
        return self.store.freezes()

    def erased(self, holding: str, handles: Sequence[bytes]) -> bool:
        # Where nobody was erased yet no mark has to be made.
        return self.store.has_erased() and bool(self.store.erased(self.marks(holding, sorted(set(handles)))))

    def newest(self, holding: str, handles: Sequence[bytes]) -> dict[bytes, int]:
        return self.store.newest(self.holding_id(holding), sorted(set(handles)))

    def held(self, holding: str, now: int) -> bool:
        """Whether a legal hold keeps the keys of the holding from being destroyed."""
        return any(name == holding for name, _, _ in self.store.holds(now))

    def usable(self, holding: str, epoch: int, now: int) -> bool:
        """Whether there is a key, and its day has not come; a hold keeps it past that."""
        return self.epochs.has(holding, epoch) and (epoch > now // 86400 or self.held(holding, now))

    def budget(self, key: str) -> State | None:
        # After a recovery nobody knows what was taken out of a bucket before it: it was empty then.
        found = self.store.budget(key)
        return found if found is not None or not self.recovered else (0, self.recovered)

    def secret(self, holding: str, batch: SealedBatch) -> bytes:
        return self.epochs.secret(holding, batch)

    # --- names -----------------------------------------------------------------------------------------------------
    def marks(self, holding: str, handles: Sequence[bytes]) -> list[bytes]:
        """What the book knows the handles of erased records by, in their order."""
        return tag.erased(self.keys.tag, self.holding_id(holding), handles)

    def pseudonym(self, reader: bytes, now: int) -> bytes:
        """12 bytes: a reader as the entries of this month name it."""
        # By the day, which is within the month; a calendar for each entry costs more than its tags.
        found = self._pseudonyms.get((reader, now // 86400))
        if found is None:
            if len(self._pseudonyms) >= _PSEUDONYMS:
                self._pseudonyms.clear()
            found = self._pseudonyms[reader, now // 86400] = tag.asker(self.keys.asker, reader, now)
        return found

    def holding_id(self, name: str) -> bytes:
        found = self._holding_ids.get(name)
        if found is None:
            found = self._holding_ids[name] = ids.holding_id(self.room, name)
        return found

    def now(self) -> int:
        return self.clock.now(self.book.time)

    # --- the transaction -------------------------------------------------------------------------------------------
    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction of store, book and charters. When it fails all three are again what the store holds."""
        if self._torn:
            self._reread()
        self._torn, quiet = True, self.quiet
        try:
            with self.store.transaction():
                yield
                self.book.flush()
        except BaseException:
            self.quiet = quiet
            self._reread()
            raise
        self._torn = False
        self.book.sign()

    def apart(self, decide: Callable[[], T]) -> T:
        """What ``decide`` makes of one of many asks of one request, inside the transaction: what breaks it undoes what it wrote, and no
        other's. A refusal undoes nothing, for it is an entry. Raises ``StrongroomError``; anything else is the whole transaction's end.
        """
        mark = self.book.mark()
        self.store.set_aside()
        try:
            return decide()
        except (Refused, FormatError, StoreError):
            raise
        except Exception as error:  # noqa: BLE001 - undone, and nothing was given
            self.store.undo_aside()
            self.book.unstage(mark)
            raise self.broken(error) from None
        finally:
            self.store.end_aside()

    def _reread(self) -> None:
        self.charters = [InForce(*row) for row in self.store.charters()]
        self.book.reset()
        self.recovered = int(self.store.state("recovered") or b"0")
        self._torn = False

    def commit(self, works: Sequence[Work]) -> list[Record | StrongroomError]:
        """Decide, write and answer. One answer or error a request, in order."""
        try:
            now = self.now()
        except Refused as refusal:
            return [refusal for _ in works]
        outcomes: list[Outcome | StrongroomError] = []
        try:
            with self.writing():
                for work in works:
                    self.set_time(now)
                    try:
                        outcomes.append(self._decide(work, now))
                    except (Refused, FormatError, StoreError) as error:
                        outcomes.append(error)
        except Exception:
            if len(works) == 1:
                raise
            # Whichever broke it, all of it was rolled back. Each alone: then it harms no other.
            return [self._alone(work) for work in works]
        return [_finish(outcome, self.store) if isinstance(outcome, Outcome) else outcome for outcome in outcomes]

    def _alone(self, work: Work) -> Record | StrongroomError:
        try:
            return self.commit([work])[0]
        except StrongroomError as error:
            return error
        except Exception as error:  # noqa: BLE001 - rolled back too: nothing was given
            return self.broken(error)

    def broken(self, error: Exception) -> StoreError:
        """What is answered where a transaction broke, and was rolled back. It is logged, in one line where the disk is the reason."""
        if isinstance(error, OSError | sqlite3.Error):
            log.error("%s", self.store.failed(error))
            return StoreError(
                f"the keyholder could not write its book ({_reason(error)}), and nothing was given; its operator has to mend that"
            )
        log.error("a commit failed and was rolled back", exc_info=error)
        return StoreError("the keyholder could not write its book; nothing was given")

    def ask(self, path: str, signature: bytes, body: bytes) -> Record:
        """One request on its own. Raises what it was refused for."""
        answer = self.commit([Work(path, signature, body)])[0]
        if isinstance(answer, StrongroomError):
            raise answer
        return answer

    def _decide(self, work: Work, now: int) -> Outcome:
        route = routes.ROUTES.get(work.path)
        if route is None:
            raise Refused("malformed", "no such path")
        if len(work.body) > route.most:
            raise Refused("malformed", f"the request is over {route.most} bytes")
        # Where the signer is known beforehand nobody else gets as far as the parser.
        route.before(self, work)
        request = protocol.REQUESTS[work.path].parse(work.body)
        route.after(self, request, work, now)
        return Outcome(route.handler(self, request, work, now))

    def series(self, fresh: bytes) -> SeriesSealer:
        """What seals the answers to groups under ``fresh``, which the vault draws anew each second. Raises ``SealError``."""
        if self._series is None or self._series.public != fresh:
            self._series = SeriesSealer(fresh, protocol.series_info(self.room), self.random)
        return self._series

    def index_key(self, holding: str, kind: str) -> bytes:
        """32 bytes under which the tokens of one kind of identifier are made (SPEC.md section 4)."""
        found = self._index_keys.get((holding, kind))
        if found is None:
            found = token.index_key(self.keys.index, self.holding_id(holding), ids.kind_id(kind))
            self._index_keys[holding, kind] = found
        return found

    def generation(self) -> int:
        """Of the tag chains; the next one begins after a recovery (SPEC.md 5.5)."""
        return int(self.store.state("generation") or b"1")

    def written(self, have: int, index: int) -> Record:
        """The answer that an entry was written: its receipt, and the ledger from ``have`` on."""
        return protocol.Written(entries=self.book.entries(have, protocol.MAX_TAIL), receipt=self.book.receipt(index))

    def publish(self, now: int) -> str:
        """Publish the ledger as static files. Returns the published checkpoint."""
        self.set_time(now)
        current = self.in_force().charter
        vkeys = [current.keyholder.log, current.keyholder.ml_dsa, current.vault.cosigner]
        return self.book.publish(self.public, now, vkeys, current.witnesses.policy)

    def started(self) -> None:
        """Begin, as ``rounds.started``."""
        rounds.started(self)

    def tick(self) -> None:
        """What is due by itself, as ``rounds.tick``."""
        rounds.tick(self)
