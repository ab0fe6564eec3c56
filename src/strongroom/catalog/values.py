"""One function a field type: what was written, already cleaned, to what is stored (SPEC.md section 6.4).

Each takes text that ``text.clean`` gave and raises ``ValueRejected`` with a reason that holds nothing of the value.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

import phonenumbers
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from strongroom.errors import ValueRejected

_ID = re.compile(r"[0-9]{17}[0-9X]")
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})-([0-9]{2})|/([0-9]{2})/([0-9]{2})|([0-9]{2})([0-9]{2}))")
_NUMBER = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]+))?")
_PHONE = re.compile(r"\+?[0-9 ()./-]{3,40}")
# Mobiles, and fixed lines of Beijing written in full: the library says the same of them, at thirty times the cost.
_PHONE_CN = re.compile(r"(?:\+86)?(1[3-9][0-9]{9})")
_PHONE_BEIJING = re.compile(r"\+8610[0-9]{8}")
# What email-validator accepts and leaves as it is but for the domain's case; everything else goes to it.
_EMAIL = re.compile(
    r"[A-Za-z0-9_]+(?:[.+-][A-Za-z0-9_]+)*@((?:[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\.)+[A-Za-z]{2,24})", re.ASCII
)
_SPECIAL = frozenset(name.rpartition(".")[2] for name in SPECIAL_USE_DOMAIN_NAMES)


def plain(text: str) -> str:
    """Full-width digits and signs as ASCII: input methods write them, and nobody means another number."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def resident_id(text: str) -> str:
    """18 characters, upper case, with a real date and a right check character (GB 11643). Regions are not checked:
    they come and go, and people keep their number."""
    value = plain(text).upper()
    if not _ID.fullmatch(value):
        raise ValueRejected("want 18 characters: 17 digits and a digit or X")
    _real(int(value[6:10]), int(value[10:12]), int(value[12:14]), "has a birth date that does not exist")
    if not checks(value):
        raise ValueRejected("its check character is wrong: a digit is mistyped")
    return value


def checks(value: str) -> bool:
    """Whether the last of 18 characters is the right check character (ISO 7064, MOD 11-2).

    The standard's weights are the powers of 2 modulo 11, so the sum is the number that the characters write in any base that is
    2 modulo 11, X being ten: as 13 is one, ``int`` adds it up, at a sixth of the time of a loop.
    """
    return int(value.replace("X", "A"), 13) % 11 == 1


def calendar_date(text: str) -> str:
    """``YYYY-MM-DD`` of ``YYYY-MM-DD``, ``YYYY/MM/DD`` or ``YYYYMMDD``. No other order is guessed at."""
    found = _DATE.fullmatch(plain(text))
    if found is None:
        raise ValueRejected("want a date as YYYY-MM-DD, YYYY/MM/DD or YYYYMMDD")
    year, month, day = (part for part in found.groups() if part is not None)
    _real(int(year), int(month), int(day), "is a date that does not exist")
    return f"{year}-{month}-{day}"


def number(text: str) -> str:
    """Decimal without exponent, separators, leading zeros, trailing zeros of a fraction, or a sign of nothing."""
    found = _NUMBER.fullmatch(plain(text))
    if found is None:
        raise ValueRejected("want a decimal number such as -12.5, without separators or exponent")
    whole = found[2].lstrip("0") or "0"
    fraction = (found[3] or "").rstrip("0")
    value = f"{whole}.{fraction}" if fraction else whole
    return f"-{value}" if found[1] == "-" and value != "0" else value


def phone(text: str, region: str) -> str:
    """E.164. Without ``region`` the number must begin with + and its country. Its length must be possible there."""
    written = plain(text)
    if region == "CN" and (found := _PHONE_CN.fullmatch(written)):
        return f"+86{found[1]}"
    if _PHONE_BEIJING.fullmatch(written):
        return written
    if not _PHONE.fullmatch(written):
        raise ValueRejected("want a telephone number: digits, spaces and + ( ) . / - alone, without extension")
    if not region and not written.startswith("+"):
        raise ValueRejected("want the country before the number, such as +86, since the field declares no region")
    try:
        found_number = phonenumbers.parse(written, region or None)
    except phonenumbers.NumberParseException:
        raise ValueRejected("is not a telephone number") from None
    value = phonenumbers.format_number(found_number, phonenumbers.PhoneNumberFormat.E164)
    if not phonenumbers.is_possible_number(found_number) or len(value) > 16:
        raise ValueRejected("has too few or too many digits for its country")
    if phonenumbers.format_number(phonenumbers.parse(value), phonenumbers.PhoneNumberFormat.E164) != value:
        # Else what is stored would be another number when it is written again, and not be found by it.
        raise ValueRejected("has a zero after its country that is dialled within it alone; leave it out")
    return value


def email(text: str) -> str:
    """As email-validator normalises it (domain in lower case and Unicode, NFC), without asking the network."""
    found = _EMAIL.fullmatch(text)
    if found and is_short_email(text):
        return text[: -len(found[1])] + found[1].lower()
    try:
        value = validate_email(text, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        raise ValueRejected("is not an e-mail address") from None
    if "." not in value.domain:
        raise ValueRejected("is not an e-mail address: its domain has no dot")
    return value.normalized


def is_short_email(value: str) -> bool:
    """Whether what has the shape of ``_EMAIL`` is for it, and not for the library."""
    return len(value) <= 64 and value[value.rindex(".") + 1 :].lower() not in _SPECIAL


def _real(year: int, month: int, day: int, reason: str) -> None:
    try:
        date(year, month, day)
    except ValueError:
        raise ValueRejected(reason) from None
