"""A source is destroyed only where it is the file that was read, whole, alone and unchanged; and what is left is said."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from strongroom.custody.intake import datafile, destroy, filesystem
from strongroom.custody.intake.filemark import FileMark
from strongroom.errors import InputError

CONTENT = b"id-number,name\n1,Lovelace\n" * 100_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "people.csv"
    found.write_bytes(CONTENT)
    return found


def mark(path: Path) -> FileMark:
    return datafile.read(path).mark


def test_it_is_overwritten_where_it_lies_and_then_removed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step is on disk before the next."""
    steps: list[str] = []
    inode = path.stat().st_ino

    def watched(name: str) -> None:
        real: Callable[..., object] = getattr(os, name)

        def call(*given: object, **more: object) -> object:
            if name == "fsync" and path.exists():
                now = path.read_bytes()
                assert path.stat().st_ino == inode
                assert b"Lovelace" not in now
                steps.append(f"fsync {len(now)}")
            else:
                steps.append(name)
            return real(*given, **more)

        monkeypatch.setattr(os, name, call)

    known = mark(path)
    for name in ("fsync", "ftruncate", "unlink"):
        watched(name)
    done = destroy.destroy(known)
    assert steps == [f"fsync {len(CONTENT)}", "ftruncate", "fsync 0", "unlink", "fsync"]
    assert not path.exists()
    assert (done.path, done.size, done.left[-1]) == (path, len(CONTENT), destroy.ALWAYS)


def test_an_empty_file_and_one_that_was_only_looked_at_again(path: Path) -> None:
    known = mark(path)
    assert path.read_bytes() == CONTENT
    destroy.check(known)
    destroy.destroy(known)
    assert not path.exists()


@pytest.mark.parametrize("how", ["content", "length", "content and time", "replaced", "gone", "touched"])
def test_a_file_that_is_not_what_was_read_is_left(path: Path, how: str) -> None:
    known, times = mark(path), path.stat()
    if how == "content":
        path.write_bytes(CONTENT.replace(b"1", b"2"))
    elif how == "length":
        path.write_bytes(CONTENT + b"2,Hopper\n")
    elif how == "content and time":
        path.write_bytes(CONTENT.replace(b"1", b"2"))
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    elif how == "replaced":
        (path.parent / "other").write_bytes(CONTENT)
        (path.parent / "other").replace(path)
    elif how == "touched":
        path.touch()
    else:
        path.unlink()
    before = path.read_bytes() if path.exists() else b""
    for call in (destroy.check, destroy.destroy):
        with pytest.raises(InputError, match=r"changed since it was read|cannot be written to"):
            call(known)
    assert (path.read_bytes() if path.exists() else b"") == before


def test_the_content_decides_where_the_times_do_not(path: Path) -> None:
    known = mark(path)
    path.write_bytes(CONTENT.replace(b"1", b"2"))
    now = path.stat()
    forged = replace(known, modified=now.st_mtime_ns, touched=now.st_ctime_ns)
    destroy.check(forged)
    with pytest.raises(InputError, match="changed since it was read, and what is new in it is nowhere else"):
        destroy.destroy(forged)
    assert b"2,Lovelace" in path.read_bytes()


def test_links_and_what_is_no_file_are_refused(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to(path)
    with pytest.raises(InputError, match=r"a symbolic link\. Name the file itself"):
        destroy.destroy(mark(link))
    other = tmp_path / "other.csv"
    other.hardlink_to(path)
    with pytest.raises(InputError, match=r"it has 2 names \(hard links\)"):
        destroy.destroy(mark(path))
    other.unlink()
    known = mark(path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(InputError, match="no regular file"):
        destroy.destroy(known)
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_a_file_that_a_program_has_open_is_left(path: Path) -> None:
    known = mark(path)
    with path.open("rb"), pytest.raises(InputError, match="a program has it open"):
        destroy.destroy(known)
    assert path.read_bytes() == CONTENT
    destroy.destroy(known)


def test_a_file_that_may_not_be_written_or_removed_is_left(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known, real = mark(path), os.open
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda *_, **__: False)
        with pytest.raises(InputError, match="this user may not remove files from it"):
            destroy.check(known)

    def read_only(name: object, flags: int, *, dir_fd: int | None = None) -> int:
        if flags & os.O_RDWR:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(str(name), flags, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", read_only)
    with pytest.raises(InputError, match="cannot be written to, so not destroyed"):
        destroy.check(known)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("step", ["write", "fsync", "ftruncate", "unlink"])
def test_a_disk_that_fails_on_the_way_is_said_and_what_is_left_to_do(
    path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    known = mark(path)

    def fails(*_: object, **__: object) -> int:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, step, fails)
        with pytest.raises(
            InputError, match=r"could not be destroyed whole \(Input/output error\).*remove the file yourself"
        ):
            destroy.destroy(known)
    assert path.exists()


def test_another_file_that_took_the_name_meanwhile_is_left(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known, real = mark(path), os.ftruncate

    def swap(descriptor: int, size: int) -> None:
        real(descriptor, size)
        path.rename(path.with_name("moved"))
        path.write_text("somebody else's")

    monkeypatch.setattr(os, "ftruncate", swap)
    with pytest.raises(InputError, match="another file took its name meanwhile"):
        destroy.destroy(known)
    assert path.read_text() == "somebody else's"


def test_databases_are_refused_with_what_to_do_instead(path: Path) -> None:
    assert "VACUUM" in destroy.refusal("sqlite", None)
    assert "backups expire" in destroy.refusal("postgresql", None)
    assert [destroy.refusal(format, mark(path)) for format in ("csv", "jsonl", "parquet")] == ["", "", ""]


MOUNTS = r"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
23 22 0:21 / /dev/shm rw,nosuid - tmpfs tmpfs rw
24 22 0:31 /@home /home rw - btrfs /dev/sdb rw,compress=zstd
25 22 0:32 / /home/it\040rua rw - nfs4 server:/x rw,vers=4.2
26 22 0:33 / /var/lib/merged rw - overlay overlay rw,lowerdir=/a
27 22 8:3 / /journalled rw - ext4 /dev/sda3 rw,data=journal
28 22 0:34 / /over rw - ext4 /dev/x rw
29 28 0:35 / /over rw - zfs pool/x rw
30 22 0:36 / /what rw - somethingfs x rw
31 22 0:37 / /far rw - fuse.sshfs x rw
a line that is none
"""


@pytest.mark.parametrize(
    ("path", "type", "says"),
    [
        ("/x", "ext4", ()),
        ("/dev/shm/x", "tmpfs", ("Tmpfs lies in memory",)),  # noqa: S108 - a name in a table
        ("/home/x", "btrfs", ("Btrfs writes to a new place",)),
        ("/home/it rua/x", "nfs4", (r"It lay on another machine or behind a program \(nfs4\)",)),
        ("/home/it", "btrfs", ("Btrfs",)),
        ("/var/lib/merged/x", "overlay", ("This is a container's layer",)),
        ("/journalled/a/b", "ext4", ("This file system is mounted with data=journal",)),
        ("/over/x", "zfs", ("ZFS writes",)),
        ("/what/x", "somethingfs", (r"What this file system keeps .* \(somethingfs\)",)),
        ("/far/x", "fuse.sshfs", (r"It lay on another machine or behind a program \(fuse.sshfs\)",)),
    ],
)
def test_what_each_file_system_may_keep_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, type: str, says: tuple[str, ...]
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    found = filesystem.mount_of(Path(path), mounts)
    assert found is not None
    assert found.type == type
    monkeypatch.setattr(filesystem, "mount_of", lambda _: found)
    monkeypatch.setattr(filesystem, "_DEVICES", tmp_path)
    with mounts.open() as file:
        left = filesystem.left_behind(Path(path), file.fileno())
    assert len(left) == len(says)
    for sentence, start in zip(left, says, strict=True):
        assert re.fullmatch(f"{start}.*[.]", sentence)


def test_a_flash_disk_and_a_system_that_does_not_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert filesystem.mount_of(tmp_path, tmp_path / "none") is None
    device = tmp_path.stat().st_dev
    queue = tmp_path / f"{os.major(device)}:{os.minor(device)}" / "queue"
    queue.mkdir(parents=True)
    (queue / "rotational").write_text("0\n")
    monkeypatch.setattr(filesystem, "_DEVICES", tmp_path)
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS.replace("/dev/shm", str(tmp_path)).replace("tmpfs", "ext4"))  # noqa: S108 - the same
    monkeypatch.setattr(filesystem, "_MOUNTS", mounts)
    with mounts.open() as file:
        (said,) = filesystem.left_behind(Path("/x"), file.fileno())
    assert "secure erase" in said
