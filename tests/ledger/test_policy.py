"""Policies: what parses, what does not, and who is a quorum."""

from __future__ import annotations

import re

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from tests.ledger import made

from strongroom.errors import PolicyError, QuorumError
from strongroom.ledger import policy
from strongroom.ledger.cosignature import Cosigner, MLDSACosigner
from strongroom.ledger.note import Signer, Verifier, verifier

KEYS = [Cosigner(f"w{n}.example", Ed25519PrivateKey.from_private_bytes(bytes([n + 40]) * 32)).vkey for n in range(34)]
QUANTUM = MLDSACosigner("w0.example", MLDSA44PrivateKey.from_seed_bytes(b"\x50" * 32)).vkey
LOGS = [Signer(f"log{n}.example", Ed25519PrivateKey.from_private_bytes(bytes([n + 90]) * 32)).vkey for n in range(33)]

# The example of C2SP tlog-policy.
EXAMPLE = f"""
log {LOGS[0]}

witness X1 {KEYS[0]}
witness X2 {KEYS[1]}
witness X3 {KEYS[2]}
group X-witnesses 2 X1 X2 X3

witness Y1 {KEYS[3]}
witness Y2 {KEYS[4]}
witness Y3 {KEYS[5]}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def who(*numbers: int) -> list[Verifier]:
    return [verifier(KEYS[n]) for n in numbers]


def test_the_example_of_the_specification() -> None:
    found = policy.parse(EXAMPLE.encode())
    assert [one.verifier.vkey for one in found.logs] == LOGS[:1]
    assert [one.name for one in found.witnesses] == ["X1", "X2", "X3", "Y1", "Y2", "Y3"]
    for good in ((0, 1, 3), (1, 2, 5), range(6)):
        policy.satisfied(found, who(*good))
    for bad in ((), (0, 3, 4, 5), (0, 1, 2), (7, 8, 9)):
        with pytest.raises(QuorumError, match="cosigned by"):
            policy.satisfied(found, who(*bad))


def test_quorums_of_one_and_of_none() -> None:
    one = policy.parse(f"witness a {KEYS[0]}\nwitness b {QUANTUM} https://w.example\nquorum b\n".encode())
    policy.satisfied(one, [verifier(QUANTUM)])
    with pytest.raises(QuorumError):
        policy.satisfied(one, who(0))
    policy.satisfied(policy.parse(b"quorum none\n"), [])
    policy.satisfied(policy.NOBODY, [])


def test_layout_is_free() -> None:
    found = policy.parse(f" \t# a note\n\n\twitness \t w  {KEYS[0]}\thttps://w.example/x \n quorum\tw\t\n".encode())
    assert found.witnesses[0].url == "https://w.example/x"


def test_names_are_octets() -> None:
    """The Kelvin sign is no K; what is no UTF-8 is a name too; words of the syntax are."""
    names = [b"K", "\u212a".encode(), b"\xff\xfe", "\u00a0".encode(), b"all", b"quorum", b"1"]
    lines = [b"witness %s %s\n" % (name, KEYS[n].encode()) for n, name in enumerate(names)]
    found = policy.parse(b"".join(lines) + b"group any all " + b" ".join(names) + b"\nquorum any\n")
    policy.satisfied(found, who(*range(7)))
    with pytest.raises(QuorumError):
        policy.satisfied(found, who(*range(6)))


def test_as_many_as_an_implementation_should_take() -> None:
    lines = [f"log {vkey}" for vkey in LOGS] + [f"witness w{n} {vkey}" for n, vkey in enumerate(KEYS)]
    lines += [f"group g{n} any w{n}" for n in range(33)]
    found = policy.parse("".join(f"{line}\n" for line in [*lines, "quorum g32"]).encode())
    assert (len(found.logs), len(found.witnesses), len(found.groups)) == (33, 34, 33)


def _w(*names: str) -> str:
    return "".join(f"witness {name} {KEYS[n]}\n" for n, name in enumerate(names))


BAD = {
    "empty": ("", "no quorum"),
    "no quorum": (_w("a"), "no quorum"),
    "two quorums": (_w("a") + "quorum a\nquorum a\n", "line 3: a policy has one"),
    "cut short": (_w("a") + "quorum a", "line 2 is not ended"),
    "carriage returns": (_w("a") + "quorum a\r\n", "line 2: .*control"),
    "delete": (_w("a") + "#\x7f\nquorum a\n", "line 2: .*control"),
    "quorum of nothing": (_w("a") + "quorum b\n", "line 2: .*defines"),
    "quorum before": ("quorum a\n" + _w("a"), "line 1: .*defines"),
    "name twice": (_w("a", "a") + "quorum a\n", "line 2: .*taken"),
    "group and witness": (_w("a", "b") + "group a any b\nquorum a\n", "line 3: .*taken"),
    "named none": (_w("none") + "quorum none\n", "line 1: .*taken"),
    "group none": (_w("a") + "group none any a\nquorum none\n", "line 2: .*taken"),
    "none in a group": (_w("a") + "group g any a none\nquorum g\n", "line 2: .*defines"),
    "of itself": (_w("a") + "group g any a g\nquorum g\n", "line 2: .*defines"),
    "member twice": (_w("a", "b") + "group g 2 a a\nquorum g\n", "line 3: .*once"),
    "member of two": (_w("a", "b") + "group g any a\ngroup h any a b\nquorum h\n", "line 4: .*once"),
    "no members": (_w("a") + "group g any\nquorum a\n", "line 2: want"),
    "none of them": (_w("a") + "group g 0 a\nquorum g\n", "line 2: .*from 1 to 1"),
    "too many": (_w("a", "b") + "group g 3 a b\nquorum g\n", "line 3: .*from 1 to 2"),
    "leading zero": (_w("a") + "group g 01 a\nquorum g\n", "line 2: .*from 1"),
    "other digits": (_w("a") + "group g \uff11 a\nquorum g\n", "line 2: .*from 1"),
    "most of them": (_w("a") + "group g most a\nquorum g\n", "line 2: .*from 1"),
    "unknown line": (_w("a") + "policy a\nquorum a\n", "line 2: want"),
    "trailing comment": (_w("a") + "quorum a # all\n", "line 2: want"),
    "a key of a log": (f"witness a {LOGS[0]}\nquorum a\n", "line 1: .*type 4"),
    "a log with a witness's key": (f"log {KEYS[0]}\nquorum none\n", "line 1: .*type 1"),
    "a log twice": (f"log {LOGS[0]}\nlog {LOGS[0]} https://x.example\nquorum none\n", "line 2: .*already"),
    "one key, two names": (
        _w("a")
        + f"witness b {Cosigner('other', Ed25519PrivateKey.from_private_bytes(bytes([40]) * 32)).vkey}\nquorum a\n",
        "line 2: .*already",
    ),
    "no key": ("witness a\nquorum a\n", "line 1: want"),
    "key of another id": (f"witness a {KEYS[0].replace('w0', 'v0')}\nquorum a\n", "line 1: "),
    "two addresses": (f"witness a {KEYS[0]} https://a https://b\nquorum a\n", "line 1: want"),
    "much too long": ("#" * 300_000 + "\nquorum none\n", "over"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_policy(case: str) -> None:
    text, reason = BAD[case]
    with pytest.raises(PolicyError, match=reason):
        policy.parse(text.encode())


@given(
    st.lists(st.tuples(st.integers(1, 4), st.sets(st.integers(0, 7), min_size=1)), max_size=4),
    st.sets(st.integers(0, 7)),
)
def test_quorums_are_counted_as_by_hand(drawn: list[tuple[int, set[int]]], cosigned: set[int]) -> None:
    """Groups over witnesses, each used once, and one over all groups: against a count that knows nothing of the parser."""
    free, lines, wanted = set(range(8)), [f"witness w{n} {KEYS[n]}" for n in range(8)], []
    for number, (threshold, members) in enumerate(drawn):
        mine = members & free
        free -= mine
        if mine:
            k = min(threshold, len(mine))
            lines.append(f"group g{number} {k} {' '.join(f'w{n}' for n in sorted(mine))}")
            wanted.append((number, k, mine))
    if not wanted:
        return
    need = len(wanted) // 2 + 1
    lines += [f"group all {need} {' '.join(f'g{number}' for number, _, _ in wanted)}", "quorum all"]
    found = policy.parse("".join(f"{line}\n" for line in lines).encode())
    by_hand = sum(len(mine & cosigned) >= k for _, k, mine in wanted) >= need
    assert found.met(who(*cosigned)) is by_hand
    if by_hand:
        # One more never takes a quorum away.
        assert found.met(who(*cosigned, *(set(range(8)) - cosigned)))


@given(st.binary(max_size=300))
def test_whatever_comes_is_a_policy_or_refused(data: bytes) -> None:
    for text in (data, EXAMPLE.encode() + data):
        try:
            found = policy.parse(text)
        except PolicyError:
            continue
        assert isinstance(found.met([]), bool)


def test_how_old_a_quorum_is() -> None:
    found = policy.parse(EXAMPLE.encode())
    x1, x2, x3, y1, y2 = who(0, 1, 2, 3, 4)
    assert policy.quorum_time(found, {x1: 10, x2: 20, x3: 30, y1: 5, y2: 25}) == 20
    assert policy.quorum_time(found, {x1: 10, x3: 30, y2: 40}) == 10
    assert policy.quorum_time(policy.NOBODY, {}) == 2**53
    with pytest.raises(QuorumError):
        policy.quorum_time(found, {x1: 10, x2: 20, x3: 30})


CHARTERS = {
    f"witness a {KEYS[0]} https://w.example\nquorum a\n": "",
    f"witness a {KEYS[0]} https://w.example:8443/some/prefix/\nquorum a\n": "",
    f"witness a {KEYS[0]} http://127.0.0.1:7000\nquorum a\n": "",
    f"witness a {KEYS[0]} http://[::1]:7000/w\nquorum none\n": "",
    "": "",
    f"witness a {KEYS[0]}\nquorum a\n": "https",
    f"witness a {KEYS[0]} http://w.example\nquorum a\n": "https",
    f"witness a {KEYS[0]} http://127.0.0.1.example\nquorum a\n": "https",
    f"witness a {KEYS[0]} http://localhost@w.example\nquorum a\n": "https",
    f"witness a {KEYS[0]} https://u:p@w.example\nquorum a\n": "https",
    f"witness a {KEYS[0]} https://w.example/?x\nquorum a\n": "https",
    f"witness a {KEYS[0]} file:///etc/passwd\nquorum a\n": "https",
    f"log {LOGS[0]}\nwitness a {KEYS[0]} https://w.example\nquorum a\n": "log line",
    f"witness a {made.vault.vkey} https://w.example\nquorum a\n": "own houses",
    f"witness a {made.post_quantum.vkey} https://w.example\nquorum a\n": "own houses",
    "nonsense": "not ended",
}


@pytest.mark.parametrize("text", CHARTERS)
def test_what_a_charter_may_have(text: str) -> None:
    own = [made.log.vkey, made.post_quantum.vkey, made.vault.vkey]
    if CHARTERS[text]:
        with pytest.raises(PolicyError, match=CHARTERS[text]):
            policy.for_charter(text, own=own)
    else:
        policy.for_charter(text, own=own)
        # Others' tools take what is published.
        assert policy.parse(policy.published(made.log.vkey, text).encode()).logs[0].verifier.name == made.ORIGIN


def test_strict_wants_somebody_to_wait_for() -> None:
    with pytest.raises(PolicyError, match="nobody"):
        policy.for_charter(f"witness a {KEYS[0]} https://w.example\nquorum none\n", strict=True)


def test_refusals_name_a_line_and_no_key() -> None:
    for text, _ in BAD.values():
        with pytest.raises(PolicyError) as caught:
            policy.parse(text.encode())
        assert not re.search(r"[A-Za-z0-9+/]{40}", str(caught.value))
