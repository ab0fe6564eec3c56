"""Signed notes and verifier keys: known keys must verify, unknown are ignored, and there is one form."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ledger import made
from tests.ledger.mutate import mutations

from strongroom.errors import NoteError, StrongroomError
from strongroom.ledger import note
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.key import ED25519, ML_DSA_44

# The example in the documentation of Go's golang.org/x/mod/sumdb/note.
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
GO_NOTE = f"{GO_TEXT}\n{GO_LINE}"

# The example in C2SP signed-note, whose text has an empty line of its own.
C2SP_NOTE = """Ognuno sta solo sul cuor della terra
trafitto da un raggio di sole:

ed è subito sera.

— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=
"""

TEXT = Checkpoint(made.ORIGIN, 1, bytes(32)).marshal()
NOTE = f"{TEXT}\n{made.log.sign(TEXT)}"
stranger = note.Signer(made.ORIGIN, Ed25519PrivateKey.from_private_bytes(b"\7" * 32))


def test_the_example_of_go() -> None:
    assert note.open_note(GO_NOTE, [note.verifier(GO_VKEY)]) == GO_TEXT
    assert note.verifier(GO_VKEY).vkey == GO_VKEY


def test_the_example_of_the_specification() -> None:
    found = note.parse_note(C2SP_NOTE)
    assert found.text.endswith("\n\ned è subito sera.\n")
    assert found.signatures[0].name == "quasimodo.example/salvatore"
    assert note.marshal(found) == C2SP_NOTE


@given(mutations(GO_NOTE) | mutations(C2SP_NOTE) | st.text(st.characters()))
def test_any_text_is_canonical_or_refused(text: str) -> None:
    try:
        found = note.parse_note(text)
    except NoteError:
        return
    assert note.marshal(found) == text


@given(mutations(GO_NOTE))
def test_no_other_note_opens_to_another_text(text: str) -> None:
    try:
        opened = note.open_note(text, [note.verifier(GO_VKEY)])
    except NoteError:
        return
    # What may be changed is the signatures of strangers.
    assert opened == GO_TEXT
    assert GO_LINE in text


@given(mutations(GO_VKEY) | st.text(st.characters()))
def test_any_vkey_is_canonical_or_refused(text: str) -> None:
    try:
        found = note.verifier(text)
    except NoteError:
        return
    assert found.vkey == text


def test_unknown_ignored_known_but_bad_rejects() -> None:
    trusted = note.verifier(made.log.vkey)
    both = NOTE + stranger.sign(TEXT)
    assert note.open_note(both, [trusted]) == TEXT
    text, signers = note.signed_by(both, [note.verifier(stranger.vkey), trusted])
    assert (text, [one.vkey for one in signers]) == (TEXT, [made.log.vkey, stranger.vkey])
    bad = f"{TEXT}\n{made.log.sign(TEXT)}{stranger.sign(TEXT + 'more' + chr(10))}"
    assert note.open_note(bad, [trusted]) == TEXT
    with pytest.raises(NoteError, match="does not verify"):
        note.open_note(bad, [trusted, note.verifier(stranger.vkey)])
    with pytest.raises(NoteError, match="no known key"):
        note.open_note(f"{TEXT}\n{stranger.sign(TEXT)}", [trusted])
    with pytest.raises(NoteError, match="no known key"):
        note.open_note(NOTE, [])


def test_a_known_key_that_signs_twice_must_be_right_twice() -> None:
    twice = NOTE + made.log.sign(TEXT)
    assert len(note.signed_by(twice, made.verifiers)[1]) == 1
    wrong = made.log.sign(TEXT + "x\n")
    with pytest.raises(NoteError, match="does not verify"):
        note.open_note(NOTE + wrong, made.verifiers)


def test_keys_that_cannot_be_told_apart() -> None:
    one = note.verifier(made.log.vkey)
    other = note.Verifier(one.name, one.key_id, one.type, bytes(32))
    with pytest.raises(NoteError, match="share"):
        note.open_note(NOTE, [one, other])
    assert note.open_note(NOTE, [one, one]) == TEXT


def test_limits() -> None:
    line = stranger.sign(TEXT)
    assert len(note.parse_note(f"{TEXT}\n{line * 100}").signatures) == 100
    for text in (f"{TEXT}\n{line * 101}", "x" * 1_000_000 + NOTE, "é" * 500_000 + NOTE):
        with pytest.raises(NoteError):
            note.parse_note(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "\n\n", TEXT, TEXT + "\n", GO_NOTE[:-1], GO_NOTE + "\n", GO_NOTE.replace("— ", "- "), GO_NOTE.replace("— ", "—  "),
        GO_NOTE.replace("— Peter", "— Pe+er"), GO_NOTE.replace("— Peter", "— Pe\u2003er"), GO_NOTE.replace("AM=\n", "AN=\n"),
        GO_NOTE.replace("AM=\n", "AM\n"), GO_NOTE.replace(GO_LINE, "— PeterNeumann x08gow==\n"), GO_NOTE.replace("If", "I\tf"),
        GO_NOTE.replace("\n", "\r\n"), GO_NOTE.replace("If", "I\ud800f"), GO_NOTE.replace("\n\n", "\n"),
    ],
)  # fmt: skip
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(NoteError):
        note.parse_note(text)


@pytest.mark.parametrize("text", ["", "no end", "a\n\n— n", "bad\x01\n", "\ud800\n", "a\n\n" + GO_LINE[:-1]])
def test_a_signer_signs_no_text_that_reads_as_another(text: str) -> None:
    with pytest.raises(NoteError):
        made.log.sign(text)


@settings(max_examples=30)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n")))
def test_signed_texts_open(text: str) -> None:
    text += "\n"
    assert note.open_note(f"{text}\n{made.log.sign(text)}", made.verifiers) == text


_LINE = note.Signature(made.ORIGIN, note.verifier(made.log.vkey).key_id, bytes(64)).marshal()


def _holds(text: str) -> bool:
    try:
        return note.parse_note(f"{text}\n{_LINE}").text == text
    except NoteError:
        return False


def _signs(text: str) -> bool:
    try:
        made.log.sign(text)
    except NoteError:
        return False
    return True


@given(
    st.lists(st.sampled_from(["\n", "\n\n", "a", "é", "\x00", "\t", "\r", "\ud800", "— n ", _LINE]), max_size=6).map(
        "".join
    )
)
def test_a_signer_signs_what_a_note_can_hold_and_nothing_else(text: str) -> None:
    assert _signs(text) == _holds(text)


@pytest.mark.parametrize("size", range(-2, 3))
def test_and_none_that_would_make_it_too_long(size: int) -> None:
    text = "a" * (note.MAX_BYTES - 2 - len(_LINE.encode()) + size) + "\n"
    assert _signs(text) == _holds(text) == (size <= 0)


@pytest.mark.parametrize(
    ("name", "type_byte", "length"),
    [("", 1, 32), ("a b", 1, 32), ("a+b", 1, 32), ("a", 1, 31), ("a", 2, 32), ("a", 6, 32)],
)
def test_no_such_vkey(name: str, type_byte: int, length: int) -> None:
    with pytest.raises(NoteError):
        note.vkey(name, type_byte, bytes(length))


def test_a_checkpoint_is_the_logs_own() -> None:
    found, signers = note.open_checkpoint(made.sign(Checkpoint(made.ORIGIN, 1, bytes(32))), made.verifiers)
    assert found == Checkpoint(made.ORIGIN, 1, bytes(32))
    assert [one.type for one in signers] == [1, 6, 4]
    cosigned = f"{TEXT}\n{made.vault.cosign(TEXT, 5)}{made.post_quantum.cosign(TEXT, 5)}"
    assert note.open_note(cosigned, made.verifiers) == TEXT
    with pytest.raises(NoteError, match="log's own key"):
        note.open_checkpoint(cosigned, made.verifiers)
    other = Checkpoint("other.example/ledger", 1, bytes(32)).marshal()
    with pytest.raises(NoteError, match="log's own key"):
        note.open_checkpoint(f"{other}\n{made.log.sign(other)}", made.verifiers)


@given(st.sampled_from([ED25519, 4, ML_DSA_44]), st.binary(max_size=80))
def test_no_signature_raises_anything_but_ours(type_byte: int, signature: bytes) -> None:
    # Public keys that are no keys at all, too.
    public = bytes(1312) if type_byte == ML_DSA_44 else b"\xff" * 32
    trusted = note.verifier(note.vkey("n", type_byte, public))
    with pytest.raises(StrongroomError):
        trusted.verify(TEXT, signature)
