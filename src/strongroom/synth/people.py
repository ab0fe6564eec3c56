"""Synthetic residents for demo, drills and bench: realistic to read and to index, and nobody's.

No value can be a real person's:

- ``id-number`` has a right check digit and date (GB 11643) and a region whose first two digits, 19, have never been given
  to a province. A checker that knows regions warns, and should.
- ``phone`` is +86 10 0xxx xxxx. China sets no range aside for fiction, and a range that is unused today may be handed out
  tomorrow; but a subscriber's number there can never begin with 0, which is the trunk prefix. The pattern of
  ``phonenumbers`` does not know that and calls it valid.
- ``email`` is under example.com and example.org, which RFC 2606 keeps for this.
- The city, its districts and its streets are made up.

Everybody is an adult. The same seed gives the same people on every version of Python, and a larger count only adds more.
"""

from __future__ import annotations

import datetime
import math
import unicodedata
from array import array
from collections.abc import Iterator
from itertools import accumulate
from random import Random

from strongroom.synth import names

FIELDS = ("id-number", "name", "born", "sex", "phone", "email", "address", "district")
MOST = 10_000_000  # there are no more telephone numbers of this kind
FIRST_YEAR, LAST_YEAR = 1935, 2007

_LATIN_SHARE = 0.06
_BLOCK = 4096  # people drawn at once: large enough to be fast, small enough that memory stays flat
# How many hundreds of sequence numbers a birth date has, from 1935 on by five years: the city's age pyramid.
_HUNDREDS = (1, 2, 3, 4, 6, 8, 8, 7, 6, 7, 10, 7, 6, 5, 5)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_UNDECOMPOSED = str.maketrans("łøđ", "lod")  # letters that Unicode does not take apart
_MAIL = ("example.com", "example.org")


def check_digit(first: str) -> str:
    """The last character of an identity number, from its first 17 digits (GB 11643, ISO 7064 MOD 11-2)."""
    return _CHECK[_weigh(first, 0) % 11]


def _weigh(digits: str, place: int) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS[place:], strict=False))


def _ascii(name: str) -> str:
    plain = name.lower().translate(_UNDECOMPOSED)
    return "".join(letter for letter in unicodedata.normalize("NFD", plain) if letter.isascii() and letter.isalpha())


def _han_given(characters: tuple[str, str]) -> list[tuple[str, str]]:
    first, second = (list(zip(text.split()[::2], text.split()[1::2], strict=True)) for text in characters)
    double = [(a + b, pinyin + after) for a, pinyin in first for b, after in second]
    return double + second * (len(double) // len(second) // 5)  # about one name in six has a single character


def _latin_given(text: str) -> list[tuple[str, str]]:
    return [(name, _ascii(name)) for name in text.split()]


_surnames = names.SURNAMES.split()
_SURNAMES = list(zip(_surnames[::3], _surnames[1::3], strict=True))
_SHARES = list(accumulate(map(int, _surnames[2::3])))
_HAN = (_han_given(names.FEMALE), _han_given(names.MALE))
_LATIN = (_latin_given(names.LATIN_FEMALE), _latin_given(names.LATIN_MALE))
_LATIN_SURNAMES = [(name.replace("-", " "), _ascii(name)) for name in names.LATIN_SURNAMES.split()]
_PLACES = [(code, _weigh(code, 0)) for code, _, _ in names.DISTRICTS]
_SEQUENCES = [(f"{number:03}", _weigh(f"{number:03}", 14)) for number in range(1000)]
_SEXES = ("female", "male")
_ROOMS = [f"{floor}{flat:02}" for floor in range(1, 25) for flat in range(1, 7)]


def people(count: int, seed: int) -> Iterator[dict[str, str]]:
    """``count`` residents, no two with the same identity number, telephone or e-mail address. All values are text;
    ``born`` is YYYY-MM-DD, ``sex`` female or male, ``district`` the third column of ``names.DISTRICTS``."""
    if not 0 <= count <= MOST:
        raise ValueError(f"count must be from 0 to {MOST:,}")
    rng = Random(seed)
    days = _days()
    cells = _cells(days, rng)
    places = len(_PLACES) * 100
    numbers = _walk(len(cells) * places, rng)
    phones, mails = _sevens(rng), _sevens(rng)
    for start in range(0, count, _BLOCK):
        # A whole block is drawn even when the count ends in it, so that a larger count begins with the same people.
        surnames = rng.choices(_SURNAMES, cum_weights=_SHARES, k=_BLOCK)
        chances = [rng.random() for _ in range(_BLOCK)]
        givens = [rng.random() for _ in range(_BLOCK)]
        homes = rng.choices(names.DISTRICTS, k=_BLOCK)
        streets = rng.choices(names.STREETS, k=_BLOCK)
        houses = rng.choices(range(1, 400), k=_BLOCK)
        rooms = rng.choices(_ROOMS, k=_BLOCK)
        for at in range(min(_BLOCK, count - start)):
            cell, place = divmod(next(numbers), places)
            place, step = divmod(place, 100)
            cell = cells[cell]
            # The walk's steps are even; shifted by the cell they no longer look it.
            place, step = (place + cell) % len(_PLACES), (step + cell // 3) % 100
            born, compact, weight = days[cell // 10]
            sequence, tail = _SEQUENCES[cell % 10 * 100 + step]
            code, head = _PLACES[place]
            male = step % 2
            district, street, house, room = homes[at], streets[at], houses[at], rooms[at]
            if chances[at] < _LATIN_SHARE:
                table = _LATIN[male]
                given, before = table[int(givens[at] * len(table))]
                surname, after = _LATIN_SURNAMES[int(chances[at] / _LATIN_SHARE * len(_LATIN_SURNAMES))]
                name, mailbox = f"{given} {surname}", f"{before}.{after}"
                address = f"{house} {street[1]}, Room {room}, {district[2]}, {names.CITY[1]}"
            else:
                table = _HAN[male]
                surname, after = surnames[at]
                given, before = table[int(givens[at] * len(table))]
                name, mailbox = surname + given, f"{before}.{after}"
                address = f"{names.CITY[0]}{district[1]}{street[0]}{house}号{room}室"
            yield {
                "id-number": f"{code}{compact}{sequence}{_CHECK[(head + weight + tail) % 11]}",
                "name": name,
                "born": born,
                "sex": _SEXES[male],
                "phone": f"+86100{next(phones):07}",
                "email": f"{mailbox}{next(mails)}@{_MAIL[house % 2]}",
                "address": address,
                "district": district[2],
            }


def _days() -> list[tuple[str, str, int]]:
    """Each birth date as ISO text, as eight digits, and what it adds to the check sum."""
    first, last = datetime.date(FIRST_YEAR, 1, 1), datetime.date(LAST_YEAR, 12, 31)
    dates = [datetime.date.fromordinal(day).isoformat() for day in range(first.toordinal(), last.toordinal() + 1)]
    return [(iso, iso.replace("-", ""), _weigh(iso.replace("-", ""), 6)) for iso in dates]


def _cells(days: list[tuple[str, str, int]], rng: Random) -> array[int]:
    """One cell for each date and hundred of sequence numbers (day times ten plus the hundred), shuffled.

    Walking them draws dates by their weight; and as the walk meets each number once, nothing has to be remembered to
    keep numbers distinct, and memory stays flat.
    """
    cells = array("l")
    for day, (iso, _, _) in enumerate(days):
        cells.extend(day * 10 + hundred for hundred in range(_HUNDREDS[(int(iso[:4]) - FIRST_YEAR) // 5]))
    rng.shuffle(cells)
    return cells


def _walk(size: int, rng: Random) -> Iterator[int]:
    """Every number below ``size`` once, far from its neighbours: steps of a length that shares no factor with it."""
    step = rng.randrange(size // 3, size // 2)
    while math.gcd(step, size) != 1:
        step += 1
    at = rng.randrange(size)
    while True:
        yield at
        at = (at + step) % size


def _sevens(rng: Random) -> Iterator[int]:
    """Every number of seven digits once, without a pattern that the eye would see: two rounds of a Feistel network."""
    high, low = list(range(1000)), list(range(10_000))
    rng.shuffle(high)
    rng.shuffle(low)
    for number in _walk(MOST, rng):
        left, right = divmod(number, 10_000)
        right = low[(right + high[left] * 7) % 10_000]
        yield high[(left + low[right]) % 1000] * 10_000 + right
