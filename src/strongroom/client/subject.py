"""Every read of me: the subject's side (SPEC.md section 8.7).

The subject trusts nobody: the keyholder's signed count is held against the whole published ledger, recomputed here. A number that is
missing from the ledger, a tag in it beyond the count, or a number given twice, is a hidden read. A ledger that the vault does not know
is none: the keyholder could have made it for this person alone. What the vault has not confirmed yet is shown as such.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from strongroom.canonical import encode
from strongroom.catalog import charter as charters
from strongroom.catalog.model import Charter
from strongroom.client.device import Device
from strongroom.errors import CheckpointError, NoteError, QuorumError, SealError
from strongroom.keyholder import protocol
from strongroom.keyholder.client import Client
from strongroom.ledger import audit, checkpoint, confirm, entry, note, tag
from strongroom.ledger.confirm import Confirmed
from strongroom.ledger.note import Verifier
from strongroom.seal import hpke

BEYOND = 64
# No person is read so often; without a limit a false count would have this computer derive tags for ever.
MOST = 1_000_000
SECONDS = 120
"""By how much the statement's time may differ from this computer's."""


@dataclass(frozen=True)
class Read:
    """Number ``n`` of a chain, at entry ``index``; ``confirmed``: whether the vault has cosigned as far."""

    n: int
    index: int
    entry: entry.Entry
    confirmed: bool


@dataclass(frozen=True)
class ChainView:
    """One chain: what the keyholder said (``count``) and what the ledger holds, ``reads`` past the statement's size included.

    Numbers: ``missing`` ones stand nowhere at that size, ``beyond`` are past the count, ``repeated`` in several entries.
    """

    holding: str
    kind: str
    generation: int
    count: int
    reads: tuple[Read, ...]
    missing: tuple[int, ...]
    beyond: tuple[int, ...]
    repeated: tuple[int, ...] = ()

    @property
    def complete(self) -> bool:
        return not self.missing and not self.beyond and not self.repeated


@dataclass(frozen=True)
class View:
    """All chains of a subject, at one verified checkpoint, of which the vault has cosigned what ``confirmed`` says.

    ``time`` is the last entry's; ``overdue`` is set when it is over two heartbeats old: a ledger that is silent, or not the newest.
    ``behind`` is set when what the vault has confirmed ends over two heartbeats before that: an idle vault, or a fork made since.
    """

    chains: tuple[ChainView, ...]
    checkpoint: checkpoint.Checkpoint
    confirmed: Confirmed
    time: int
    overdue: bool
    behind: bool
    signers: tuple[str, ...]
    charters: dict[bytes, Charter]
    """Those of the ledger by their hash: they name what an entry numbers."""
    waiting: dict[int, int]
    """For the index of each erasure that is not final the day (since 1970) on which it is."""
    unwitnessed: str = ""
    """Why what the charter's witnesses have cosigned is not enough; empty where it is, or the charter names none."""

    @property
    def complete(self) -> bool:
        return not self.overdue and all(chain.complete for chain in self.chains)


def enrol(client: Client, device: Device, code: str, now: int) -> protocol.Enrolled:
    """Bind this device to the person whose identity the desk has verified. Returns what is to be remembered of it: whose chain
    every later statement must have. Raises ``Refused`` (``code``)."""
    answer = client.call("/v1/subject/enrol", protocol.Enrol(code=code, device=device.public, time=now))
    return protocol.enrolled.parse(answer)


def ask_reads(
    client: Client, device: Device, room: bytes, now: int, random: Callable[[int], bytes]
) -> protocol.ReadsInner:
    """What the keyholder says, unverified. Raises ``Refused`` (``device``)."""
    fresh = hpke.private_from(random(96))
    request = encode(protocol.Reads(device=device.public, fresh=fresh.public, nonce=random(16), time=now))
    answer = protocol.sealed_reads.parse(client.send("/v1/subject/reads", request))
    try:
        return protocol.reads_inner.parse(hpke.decrypt(fresh, protocol.reads_info(room, request), answer.sealed))
    except SealError:
        raise SealError("the keyholder's answer is not sealed to this request of this room") from None


def verify_reads(
    said: protocol.ReadsInner,
    device: Device,
    room: bytes,
    genesis: bytes,
    fetch: Callable[[str], bytes],
    verifiers: Sequence[Verifier],
    now: int,
    progress: audit.Progress | None = None,
    enrolled: Sequence[protocol.Enrolled] = (),
) -> View:
    """Hold what the keyholder said against the published ledger, which is verified whole.

    ``genesis`` is the hash of the room's first charter, ``now`` this computer's POSIX second when it was said, ``enrolled`` what this device
    remembers of its enrolments. Raises ``LedgerError`` of
    the kind that is wrong: forged or old statement, forked or shortened ledger, one unknown to the vault. A gap or silence is no error
    but stands in the view.
    """
    statement = _stated(said, device, room, now)
    _verify_enrolled(said.chains, enrolled)
    wanted = {
        one: (place, n)
        for place, chain in enumerate(said.chains)
        for n, one in enumerate(tag.tags(chain.key, 1, chain.count + BEYOND), 1)
    }
    found: list[list[tuple[int, int, entry.Entry]]] = [[] for _ in said.chains]
    documents: list[entry.CharterEntry] = []
    begun: list[int] = []

    def visit(index: int, item: entry.Entry) -> None:
        if isinstance(item, entry.CharterEntry):
            documents.append(item)
        elif isinstance(item, entry.NoticeEntry) and item.code == "generation":
            begun.append(index)
        for one in entry.entry_tags(item):
            if one in wanted:
                place, n = wanted[one]
                found[place].append((n, index, item))

    audited = audit.audit(fetch, verifiers, None, progress, visit)
    at, _ = note.open_checkpoint(said.checkpoint, verifiers)
    if (at.size, at.root) != (statement.size, statement.root):
        raise CheckpointError("the statement is about another checkpoint than the one beside it")
    if at.size > audited.size:
        raise CheckpointError(
            f"the published ledger ends at {audited.size}, the keyholder's statement is of size {at.size}"
        )
    audit.verify_growth(fetch, at, audited.checkpoint)
    _verify_statement(said, statement.time, documents, genesis)
    _verify_generations(said.chains, 1 + sum(index < statement.size for index in begun))
    confirmed, last = _confirmed(audited)
    # Where no charter states a heartbeat nothing is ever late.
    patience = audited.silent_after - last if audited.silent_after is not None else now
    texts = [item.document.encode() for item in documents]
    return View(
        chains=tuple(
            _chain(chain, [Read(n, index, item, index < confirmed.size) for n, index, item in places], statement.size)
            for chain, places in zip(said.chains, found, strict=True)
        ),
        checkpoint=audited.checkpoint,
        confirmed=confirmed,
        time=last,
        overdue=now > last + patience,
        behind=last > confirmed.time + patience,
        signers=tuple(signer.name for signer in audited.signers),
        charters={charters.charter_hash(text): charters.parse(text) for text in texts},
        waiting={one.index: audited.life.final_on(one, last) for one in audited.life.erasures() if not one.final},
        unwitnessed=_unwitnessed(audited, now),
    )


def _unwitnessed(audited: audit.Audit, now: int) -> str:
    try:
        audited.quorum(now)
    except QuorumError as error:
        return str(error)
    return ""


def _stated(said: protocol.ReadsInner, device: Device, room: bytes, now: int) -> protocol.Statement:
    """The statement, which must be about the chains beside it and of this time; its signature is not verified yet."""
    statement = protocol.statement.parse(said.statement.encode())
    stated = [
        protocol.StatedChain(
            chain=protocol.chain_hash(chain.key),
            count=chain.count,
            generation=chain.generation,
            holding=chain.holding,
            kind=chain.kind,
        )
        for chain in said.chains
    ]
    if statement.room != room or statement.device != device.public or statement.chains != stated:
        raise NoteError("the keyholder's statement is not about this device's chains")
    if abs(statement.time - now) > SECONDS:
        raise NoteError(
            f"the keyholder's statement is of another time than this computer's: {statement.time - now:+,} s. Is the clock right?"
        )
    if not said.chains or len({chain.key for chain in said.chains}) != len(said.chains):
        raise NoteError("the keyholder's statement names no chain, or one twice")
    if any(chain.count > MOST for chain in said.chains):
        raise NoteError(f"the keyholder's statement counts more than {MOST:,} reads")
    return statement


def _confirmed(audited: audit.Audit) -> tuple[Confirmed, int]:
    """What the vault has confirmed, and the last entry's time. Raises ``CheckpointError`` where it has confirmed nothing."""
    if audited.confirmed is None or audited.times is None:
        raise CheckpointError(confirm.MISSING)
    return audited.confirmed, audited.times[1]


def _chain(chain: protocol.Chain, reads: Sequence[Read], size: int) -> ChainView:
    # What the statement is about ends at its size; what has come since is shown, but says nothing of its truth.
    within = Counter(read.n for read in reads if read.index < size)
    times = Counter(read.n for read in reads)
    return ChainView(
        holding=chain.holding,
        kind=chain.kind,
        generation=chain.generation,
        count=chain.count,
        reads=tuple(sorted(reads, key=lambda read: (read.n, read.index))),
        missing=tuple(n for n in range(1, chain.count + 1) if n not in within),
        beyond=tuple(n for n in sorted(within) if n > chain.count),
        repeated=tuple(n for n in sorted(times) if times[n] > 1),
    )


def _verify_enrolled(chains: Sequence[protocol.Chain], enrolled: Sequence[protocol.Enrolled]) -> None:
    there = {(chain.holding, chain.kind, protocol.chain_hash(chain.key)) for chain in chains}
    left_out = sorted(
        {f"{one.holding} by {one.kind}" for one in enrolled if (one.holding, one.kind, one.chain) not in there}
    )
    if left_out:
        raise NoteError(
            f"the keyholder's statement leaves out what this device was enrolled for ({', '.join(left_out)}): those reads are hidden"
        )


def _verify_generations(chains: Sequence[protocol.Chain], least: int) -> None:
    """Each restored keyholder begins every person's numbers anew, and the ledger has a notice of it: who leaves one of a
    person's chains out hides all that stands on it."""
    last = max(chain.generation for chain in chains)
    there = Counter((chain.holding, chain.kind, chain.generation) for chain in chains)
    persons = {(chain.holding, chain.kind) for chain in chains}
    whole = last <= len(chains) and all(
        len({there[*person, generation] for generation in range(1, last + 1)}) == 1 for person in persons
    )
    if last < least or not whole:
        raise NoteError(
            f"the keyholder's statement leaves chains out: the ledger says that numbers have begun {least} times, and there must be"
            " a chain of each person for each"
        )


def _verify_statement(
    said: protocol.ReadsInner, time: int, documents: Sequence[entry.CharterEntry], genesis: bytes
) -> None:
    # The message key is had from the charter in force, and that from the chain that begins with the room's own first charter.
    if not documents or charters.charter_hash(documents[0].document.encode()) != genesis:
        raise CheckpointError("the ledger does not begin with this room's first charter")
    current = [item for item in documents if item.effective <= time]
    key = charters.parse((current or documents)[-1].document.encode()).keyholder.message
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(
            said.signature, protocol.statement_message(said.statement.encode())
        )
    except (InvalidSignature, ValueError):
        raise NoteError("the statement is not signed by the keyholder of the charter in force") from None
