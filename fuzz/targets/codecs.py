"""A target for every codec, requests and answers of the protocol among them: found, not listed (SPEC.md sections 1.3, 8)."""

from __future__ import annotations

from functools import partial

from fuzz import parsers
from fuzz.sample import seeds_of
from fuzz.target import Target
from strongroom.canonical import encode


def targets() -> list[Target]:
    return [
        Target(
            name=f"codec.{name}",
            read=codec.parse,
            write=encode,
            # The error that this codec was given, and no other.
            errors=codec._error,
            seeds=partial(seeds_of, codec),
            of=(codec,),
            weight=0.3,
        )
        for name, codec in parsers.codecs().items()
    ]
