"""What an application keeps of a person: the name of a record in a room, which says nothing about anybody (SPEC.md section 1.4)."""

from __future__ import annotations

from typing import TypeAlias

from strongroom.errors import InputError

SIZE = 16


class Handle(bytes):
    """16 random bytes. ``str`` of it is 32 lower-case hex digits, which it is also made from. Raises ``InputError``."""

    __slots__ = ()

    def __new__(cls, value: HandleLike) -> Handle:
        if isinstance(value, Handle):
            return value
        try:
            # A number would make as many zeros.
            found = bytes.fromhex(value) if isinstance(value, str) else bytes(memoryview(value))
        except (ValueError, TypeError):
            found = b""
        # fromhex() takes spaces and capitals too; two texts for one record would be two keys of an application's.
        if len(found) != SIZE or (isinstance(value, str) and found.hex() != value):
            raise InputError("a handle is 16 bytes, or 32 lower-case hex digits")
        return super().__new__(cls, found)

    def __str__(self) -> str:
        return self.hex()

    def __repr__(self) -> str:
        return f"Handle('{self.hex()}')"


HandleLike: TypeAlias = Handle | bytes | str
