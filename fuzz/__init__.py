"""Fuzzing: every parser of bytes from outside, held to the same three rules (docs/decisions/0021-fuzzing.md).

It accepts only what its writer emits, it refuses with an error of ours and with no other, and where its contract says so
that error does not quote what it was given. ``make fuzz`` searches with atheris; ``tests/fuzz`` replays and mutates the
seeds without it. A new parser wants a row in ``fuzz/targets``: until then ``tests/fuzz`` fails.
"""
