"""What is known to be broken, by target, until it is mended: then its row has to go, or the tests fail.

An input that shows it lies in ``fuzz/corpus/TARGET``.
"""

from __future__ import annotations

KNOWN: dict[str, str] = {
    "intake.rows": "each line that opens a quote is read to the end of the file: 40 KB take half a minute",
    "intake.file": "the same",
    "intake.sqlite": "a column's name that is not UTF-8 ends in UnicodeDecodeError",
    "catalog.source": "a YAML escape writes half a character (\\ud800), and the charter cannot be encoded",
    "value.phone": "+61 0013 8000 is stored as +610138000, which parses to another number",
    "files.address": "an address file that is not UTF-8 ends in UnicodeDecodeError",
    "files.host-and-port": "a control character in the address ends in InvalidURL, 5,000 digits of port in ValueError",
}
