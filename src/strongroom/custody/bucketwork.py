"""The tree over a million bucket keys (SPEC.md section 2.4), and a process that makes its root: ``python -m`` this.

A process of its own rather than one of ``multiprocessing``, which would run the founder's own program again.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence

from strongroom.errors import StoreError
from strongroom.ledger import tree
from strongroom.seal import person


def levels(person_key: bytes) -> list[list[bytes]]:
    """All levels, leaves first, the root (32 bytes) last and alone. About 2 s."""
    level = [tree.leaf_hash(leaf) for leaf in person.bucket_leaves(person_key)]
    found = [level]
    while len(level) > 1:
        pairs = iter(level)
        level = [tree.node_hash(left, right) for left, right in zip(pairs, pairs, strict=True)]
        found.append(level)
    return found


def roots(person_keys: Sequence[bytes], done: Callable[[int], None]) -> list[bytes]:
    """The root for each key (32 bytes), on as many processors as there are; ``done`` is told how many are.

    Raises ``StoreError`` when a process ends without its root.
    """
    workers, waiting, found = os.cpu_count() or 1, deque(person_keys), list[bytes]()
    running: deque[subprocess.Popen[bytes]] = deque()
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                running.append(_begin(waiting.popleft()))
            one = running[0]
            root, _ = one.communicate()
            running.popleft()
            if one.returncode or len(root) != 32:
                raise StoreError("the bucket keys could not be committed to: a process ended early. Try again")
            found.append(root)
            done(len(found))
    finally:
        for one in running:
            one.kill()
            one.communicate()
    return found


def _begin(person_key: bytes) -> subprocess.Popen[bytes]:
    made = subprocess.Popen([sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert made.stdin is not None
    # Through a pipe: a key stands neither among the arguments nor in the environment.
    made.stdin.write(person_key)
    made.stdin.flush()
    return made


if __name__ == "__main__":
    sys.stdout.buffer.write(levels(sys.stdin.buffer.read(32))[-1][0])
