"""What a file lies on, and what overwriting it there does not reach. Linux says; elsewhere only what holds everywhere is said."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_DEVICES = Path("/sys/dev/block")

_COPIES = "writes to a new place and leaves the old content in free space"
_LEFT = {
    "btrfs": f"btrfs {_COPIES}, where a tool can find it until it is reused, and snapshots keep it. Destroy those too",
    "zfs": f"ZFS {_COPIES}, where a tool can find it until it is reused, and snapshots keep it. Destroy those too",
    "bcachefs": f"bcachefs {_COPIES}, where a tool can find it until it is reused, and snapshots keep it",
    "nilfs2": f"nilfs2 {_COPIES}, and keeps checkpoints of it",
    "f2fs": f"f2fs {_COPIES}",
    "xfs": "on XFS a file can share its blocks with a copy (cp --reflink); such a copy keeps them",
    "overlay": "this is a container's layer: where the file came with the image, that layer still has it",
    "tmpfs": "tmpfs lies in memory, and parts of it may have gone to swap",
    "ramfs": "ramfs lies in memory: nothing was on a disk",
}
_ELSEWHERE = re.compile(r"nfs\d?|cifs|smb\d?|9p|virtiofs|ceph|glusterfs|lustre|afs|fuse(\..*)?|drvfs")
_JOURNALLED = "this file system is mounted with data=journal: the content may be in its journal until that is reused"
_FLASH = "a flash disk (SSD) may write to other cells and keep the old ones; only its own secure erase, or encryption of the whole disk, reaches those"
_UNKNOWN = "what this file system keeps of a file that is overwritten could not be found out"


@dataclass(frozen=True, slots=True)
class Mount:
    """A line of mountinfo: where, of which type, with which options, on which device (``major:minor``)."""

    point: str
    type: str
    options: tuple[str, ...]
    device: str


def left_behind(path: Path, descriptor: int) -> tuple[str, ...]:
    """Sentences on what may be left of a file, open as ``descriptor``, when it has been overwritten."""
    mount = mount_of(path)
    if mount is None:
        return (_sentence(_UNKNOWN),)
    found = []
    if mount.type in _LEFT:
        found.append(_LEFT[mount.type])
    elif _ELSEWHERE.fullmatch(mount.type):
        found.append(f"it lay on another machine or behind a program ({mount.type}), which may keep what it was sent")
    elif mount.type not in {"ext2", "ext3", "ext4", "vfat", "exfat", "jfs"}:
        found.append(f"{_UNKNOWN} ({mount.type})")
    if "data=journal" in mount.options:
        found.append(_JOURNALLED)
    if mount.type not in {"tmpfs", "ramfs"} and _is_flash(os.fstat(descriptor).st_dev):
        found.append(_FLASH)
    return tuple(map(_sentence, found))


def mount_of(path: Path, mounts: Path = _MOUNTS) -> Mount | None:
    """The mount that ``path`` lies on; None where nobody says."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    whole, best = path.resolve(), None
    for mount in map(_parsed, lines):
        # The last of several on one point hides the others.
        if mount and whole.is_relative_to(mount.point) and (best is None or len(mount.point) >= len(best.point)):
            best = mount
    return best


def _parsed(line: str) -> Mount | None:
    """proc(5): number parent major:minor root POINT options [tags] - TYPE source super-options."""
    before, _, after = line.partition(" - ")
    words, more = before.split(" "), after.split(" ")
    if len(words) < 6 or len(more) < 3:
        return None
    point = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), words[4])
    return Mount(point, more[0], (*words[5].split(","), *more[2].split(",")), words[2])


def _is_flash(device: int) -> bool:
    """Whether the kernel says that the disk does not turn, or does not say so of what is surely a disk."""
    place = _DEVICES / f"{os.major(device)}:{os.minor(device)}"
    for folder in (place, place / ".."):
        try:
            return (folder / "queue" / "rotational").read_text(encoding="ascii").strip() == "0"
        except OSError:
            continue
    return False


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
