"""Checkpoints: one text for one state."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ledger.mutate import mutations

from strongroom.errors import CheckpointError
from strongroom.ledger import checkpoint
from strongroom.ledger.checkpoint import Checkpoint

# The example of C2SP tlog-checkpoint.
EXAMPLE = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

origins = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)
checkpoints = st.builds(Checkpoint, origins, st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))


def test_the_example_of_the_specification() -> None:
    found = checkpoint.parse(EXAMPLE)
    assert (found.origin, found.size) == ("example.com/behind-the-sofa", 20852163)
    assert found.marshal() == EXAMPLE


@given(checkpoints)
def test_checkpoints_come_back(made: Checkpoint) -> None:
    assert checkpoint.parse(made.marshal()) == made


@given(mutations(EXAMPLE) | st.text())
def test_any_text_is_canonical_or_refused(text: str) -> None:
    try:
        found = checkpoint.parse(text)
    except CheckpointError:
        return
    assert found.marshal() == text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("20852163", "+20852163"), ("20852163", "020852163"), ("20852163", "20_852163"), ("20852163", " 20852163"),
        ("20852163", "２０８５２１６３"), ("20852163", "-1"), ("20852163", "9223372036854775808"), ("20852163", ""),
        ("20852163", "1" * 5000), ("q2I=\n", "q2J=\n"), ("q2I=\n", "q2I\n"), ("q2I=\n", "q2I="), ("q2I=\n", "q2I=\nmore\n"),
        ("q2I=\n", "q2I=\n\n"), ("q2I=\n", "\n"), ("example.com/behind-the-sofa", ""), ("sofa", "so\tfa"), ("\n", "\r\n"),
        ("sofa", "so\ud800fa"),
    ],
)  # fmt: skip
def test_other_forms_are_refused(old: str, new: str) -> None:
    assert old in EXAMPLE
    with pytest.raises(CheckpointError):
        checkpoint.parse(EXAMPLE.replace(old, new))
