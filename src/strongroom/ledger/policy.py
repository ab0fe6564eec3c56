"""Whose cosignatures make a checkpoint good: logs, witnesses, groups and the quorum (C2SP tlog-policy; SPEC.md section 5.9).

Names are opaque octets: what is no UTF-8 is kept as surrogates, which no other name gives. A group names only what stands before it,
so one pass over the groups, in order, tells who has witnessed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from strongroom.catalog.model import Charter
from strongroom.errors import NoteError, PolicyError, QuorumError
from strongroom.ledger.key import COSIGNATURE, ED25519, ML_DSA_44, is_unicode
from strongroom.ledger.note import Verifier, verifier

NONE = "none"
"""The quorum of nobody. No witness and no group is called so."""

MAX_BYTES = 262_144
"""Holds 64 logs, 64 witnesses, each with an ML-DSA-44 key, and their groups."""

_SPACE = re.compile(r"[ \t]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_THRESHOLD = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)

_PATH = r"(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~%+-]+)*/?"
_URL = re.compile(
    rf"https://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]){_PATH}|http://(?:127\.0\.0\.1|localhost|\[::1\]){_PATH}"
)


@dataclass(frozen=True, slots=True)
class Log:
    """A log whose checkpoints are taken; its origin is the key's name. ``url`` may be empty, here and in a witness."""

    verifier: Verifier
    url: str


@dataclass(frozen=True, slots=True)
class Witness:
    """``name`` is the policy's own word for it, and not its key's name."""

    name: str
    verifier: Verifier
    url: str


@dataclass(frozen=True, slots=True)
class Group:
    """Witnesses where at least ``threshold`` of its ``members``, witnesses or earlier groups, do."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """In the order of its lines. ``quorum`` names a witness, a group, or ``none``."""

    logs: tuple[Log, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: str

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        """Those of the witnesses."""
        return tuple(one.verifier for one in self.witnesses)

    def met(self, cosigners: Collection[Verifier]) -> bool:
        """Whether these are a quorum, for deciding whether to wait on; who relies on it calls ``satisfied``."""
        have = {one.name for one in self.witnesses if one.verifier in cosigners} | {NONE}
        for group in self.groups:
            if sum(member in have for member in group.members) >= group.threshold:
                have.add(group.name)
        return self.quorum in have


NOBODY = Policy((), (), (), NONE)


def satisfied(policy: Policy, cosigners: Collection[Verifier]) -> None:
    """The witnesses among ``cosigners``, whose signatures have verified, are a quorum; or QuorumError."""
    if not policy.met(cosigners):
        have = sorted(one.verifier.name for one in policy.witnesses if one.verifier in cosigners)
        raise QuorumError(f"cosigned by {', '.join(have) or 'no witness'}: not the quorum that the policy wants")


def quorum_time(policy: Policy, times: Mapping[Verifier, int]) -> int:
    """The latest time (POSIX seconds) since which a quorum has cosigned, by each one's last; or QuorumError. Of nobody: 2^53."""
    found: set[Verifier] = set()
    time = 2**53
    for one, time_ in sorted(times.items(), key=lambda item: -item[1]):
        if policy.met(found):
            break
        found.add(one)
        time = time_
    satisfied(policy, found)
    return time


def parse(data: bytes) -> Policy:
    """A policy file. Raises PolicyError, which names the line."""
    if len(data) > MAX_BYTES:
        raise PolicyError(f"a policy is over {MAX_BYTES:,} bytes")
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    if lines.pop():
        # It may be the beginning of a longer name.
        raise PolicyError(f"line {len(lines) + 1} is not ended")
    reader = _Reader()
    for number, line in enumerate(lines, 1):
        try:
            reader.line(line)
        except (PolicyError, NoteError) as error:
            raise PolicyError(f"line {number}: {error}") from None
    return reader.policy()


class _Reader:
    def __init__(self) -> None:
        self._logs: list[Log] = []
        self._witnesses: list[Witness] = []
        self._groups: list[Group] = []
        self._quorum: str | None = None
        self._names: set[str] = set()
        self._members: set[str] = set()

    def line(self, text: str) -> None:
        if _CONTROL.search(text):
            raise PolicyError("it has a control character")
        words = [word for word in _SPACE.split(text) if word]
        if not words or words[0].startswith("#"):
            return
        match words:
            case ["log", vkey, *url] if len(url) <= 1:
                self._log(Log(verifier(vkey), "".join(url)))
            case ["witness", name, vkey, *url] if len(url) <= 1:
                self._witness(Witness(name, verifier(vkey), "".join(url)))
            case ["group", name, threshold, *members] if members:
                self._group(name, threshold, members)
            case ["quorum", name]:
                if self._quorum is not None:
                    raise PolicyError("a policy has one quorum, and this is another")
                self._quorum = self._defined(name, or_none=True)
            case _:
                raise PolicyError(
                    "want log VKEY [URL], witness NAME VKEY [URL], group NAME all|any|K NAME... or quorum NAME"
                )

    def policy(self) -> Policy:
        if self._quorum is None:
            raise PolicyError("it has no quorum line; write `quorum none` where nobody is wanted")
        return Policy(tuple(self._logs), tuple(self._witnesses), tuple(self._groups), self._quorum)

    def _log(self, new: Log) -> None:
        if new.verifier.type not in (ED25519, ML_DSA_44):
            raise PolicyError("a log's key is of type 1 (Ed25519) or 6 (ML-DSA-44)")
        if any(new.verifier.public == one.verifier.public for one in self._logs):
            raise PolicyError("this log's key stands there already")
        self._logs.append(new)

    def _witness(self, new: Witness) -> None:
        if new.verifier.type not in (COSIGNATURE, ML_DSA_44):
            raise PolicyError("a witness's key is of type 4 (Ed25519 cosignature) or 6 (ML-DSA-44)")
        # Under another name it would count twice.
        if any(new.verifier.public == one.verifier.public for one in self._witnesses):
            raise PolicyError("this witness's key stands there already")
        self._define(new.name)
        self._witnesses.append(new)

    def _group(self, name: str, threshold: str, members: list[str]) -> None:
        for member in members:
            self._defined(member)
            if member in self._members:
                raise PolicyError("a witness or group is a member of one group, once")
            self._members.add(member)
        count = {"all": len(members), "any": 1}.get(threshold) or (
            int(threshold) if _THRESHOLD.fullmatch(threshold) else 0
        )
        if not 1 <= count <= len(members):
            raise PolicyError(f"a group of {len(members)} wants all, any, or a number from 1 to {len(members)}")
        self._define(name)
        self._groups.append(Group(name, count, tuple(members)))

    def _define(self, name: str) -> None:
        if name == NONE or name in self._names:
            raise PolicyError("this name is taken")
        self._names.add(name)

    def _defined(self, name: str, *, or_none: bool = False) -> str:
        if name not in self._names and not (or_none and name == NONE):
            raise PolicyError("it names a witness or group that no line before it defines")
        return name


def of_charter(charter: Charter) -> Policy:
    """The policy of ``charter``, held to SPEC.md 5.9. Raises PolicyError."""
    stated = charter.witnesses
    own = (charter.keyholder.log, charter.keyholder.ml_dsa, charter.vault.cosigner)
    try:
        return for_charter(stated.policy, strict=stated.strict, own=own)
    except PolicyError as error:
        raise PolicyError(f"witnesses.policy: {error}") from None


def for_charter(text: str, *, strict: bool = False, own: Collection[str] = ()) -> Policy:
    """The policy of a charter's ``witnesses`` (SPEC.md 5.9); of an empty text nobody's. ``own`` are the vkeys of the two houses, which
    vouch for each other already. Raises PolicyError."""
    if not text:
        return NOBODY
    if not is_unicode(text):
        raise PolicyError("not UTF-8")
    found = parse(text.encode())
    if found.logs:
        raise PolicyError("a charter's policy has no log line: it is for this room's ledger alone")
    publics = {verifier(one).public for one in own}
    for one in found.witnesses:
        if not _URL.fullmatch(one.url) or len(one.url) > 500:
            raise PolicyError(
                f"witness {one.verifier.name}: it is asked at an https:// address without user, query or fragment (http:// on loopback)"
            )
        if one.verifier.public in publics:
            raise PolicyError(f"witness {one.verifier.name}: this key is one of the room's own houses")
        if len(one.verifier.name.encode()) > 255:
            raise PolicyError("a witness's key name is over 255 bytes")
    if strict and found.quorum == NONE:
        raise PolicyError("strict, and the quorum is none: there is nobody to wait for")
    return found


def published(log: str, text: str) -> str:
    """The policy as others' tools take it: the log's vkey, and the charter's policy or that nobody is wanted."""
    return f"log {log}\n" + (text or f"quorum {NONE}\n")
