"""Over a thousand requests that nobody wrote: from the document by schemathesis, and signed by a reader who would try anything."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.service.town import CASE, JSON, REASON, Town, now
from tests.world import Person

from strongroom.canonical import encode
from strongroom.gate import ask as asks

LEAST = 1000


def test_a_thousand_malformed_requests(town: Town, tmp_path: Path) -> None:
    """Each answer has a status, type and shape that the document has for it; none is the vault's own fault."""
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "schemathesis.cli", "run"]
    command += [f"http://{town.vault.host}:{town.vault.port}/openapi.json", "--seed", "1", "-n", "45"]
    # What fits the schema is no ask that anybody signed; and in development nobody needs a token.
    command += ["--checks", "all", "--exclude-checks", "positive_data_acceptance,ignored_auth"]
    command += ["--phases", "examples,coverage,fuzzing", "--suppress-health-check", "all", "--continue-on-failure"]
    command += ["--generation-database", "none", "--report", "json", "--report-json-path", str(report)]
    environment = os.environ | {"SCHEMATHESIS_HOOKS": "tests.service.fuzz_hooks", "PYTHONPATH": os.getcwd()}
    done = subprocess.run(command, capture_output=True, timeout=110, cwd=os.getcwd(), env=environment, check=False)
    said = done.stdout.decode() + done.stderr.decode()
    assert done.returncode == 0, said[-5000:]
    count = re.search(r"([0-9]+) generated, ([0-9]+) passed", said)
    assert count is not None, said[-2000:]
    assert int(count[1]) == int(count[2]) >= LEAST
    assert '"status":5' not in town.vault.said()


# --- a reader with a device that counts, who signs whatever ---------------------------------------------------------------
_text = st.text(max_size=40) | st.sampled_from(["", "\x00", "residents", "name", "values", "map", "\ud800", "a" * 5000])
_names = st.sampled_from(["name", "phone", "born", "id-number", "email", "x", "a-b"]) | st.from_regex(
    r"[a-z][a-z0-9-]{0,39}", fullmatch=True
)
_purposes = st.sampled_from(["confirm", "reach", "verify", "extract", "review", "unseal", "trace", "nothing"])
_holdings = st.sampled_from(["residents", "calls", "nothing"])
_subjects = st.none() | st.builds(lambda kind, value: {"kind": kind, "value": value}, _text, _text)
_extra: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "find": st.fixed_dictionaries({"kind": st.sampled_from(["phone", "resident-id", "email"]) | _text}),
    "disclose": st.fixed_dictionaries(
        {"fields": st.lists(_names, max_size=4), "version": st.integers(0, 2**32 - 1) | st.sampled_from([0, 1])}
    ),
    "check": st.fixed_dictionaries({"field": _names, "test": st.sampled_from(["adult", "district", "matches", "x"])}),
    "correct": st.fixed_dictionaries({"fields": st.lists(_names, max_size=4)}),
    "erase": st.just({}),
    "export": st.fixed_dictionaries(
        {
            "fields": st.lists(_names, max_size=4),
            "count": st.integers(0, 10**9),
            "until": st.integers(0, 2**53) | st.sampled_from([now() + 3600]),
        }
    ),
    "intake": st.fixed_dictionaries({"count": st.integers(0, 10**9), "until": st.sampled_from([now() + 3600, 0])}),
}
_PATHS = {"find": "finds", "disclose": "disclosures", "check": "checks", "correct": "corrections", "erase": "erasures"}


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_reader_who_signs_anything(town: Town, people: list[Person], data: st.DataObject) -> None:
    action = data.draw(st.sampled_from(sorted(_extra)))
    holding, purpose = data.draw(_holdings), data.draw(_purposes)
    members = data.draw(_extra[action])
    records = data.draw(
        st.lists(st.sampled_from([one.handle for one in people]) | st.binary(min_size=16, max_size=16), max_size=3)
    )
    subject = data.draw(_subjects)
    asker = town.asker(data.draw(st.sampled_from(["ana", "rui", "eva"])))
    reader = asker.device.reader
    private: dict[str, Any] = {
        "case": data.draw(st.just(CASE) | _text),
        "reader": reader,
        "reason": data.draw(st.just(REASON) | _text),
        "salt": os.urandom(32),
        "subject": subject,
    }
    private_text = _encoded(private)
    ask = {
        "action": action,
        "charter": asker.charter,
        "commitment": hashlib.sha256(asks._PRIVATE + private_text).digest(),
        "holding": holding,
        "nonce": os.urandom(16),
        "purpose": purpose,
        "reader": reader,
        "room": asker.room,
        "time": now(),
        "v": 1,
        **members,
    }
    if action in ("disclose", "check", "correct", "erase"):
        ask["records"] = sorted(set(records))
    if "fields" in ask:
        ask["fields"] = sorted(set(ask["fields"]))
    text = _encoded(ask)
    sent = {
        "ask": text.decode("utf-8", "surrogatepass"),
        "countersignatures": [],
        "private": private_text.decode("utf-8", "surrogatepass"),
        "signature": asks.sign(text, asker.device.key),
    }
    path, body = f"/v1/{_PATHS.get(action, '')}", _json(sent)
    if action == "export":
        path, body = "/v1/exports", b'{"ask":%s}' % body
    if action == "intake":
        path, body = (
            "/v1/records",
            b'{"ask":%s,"records":[%s]}'
            % (body, _json(data.draw(st.dictionaries(_names | _text, st.none() | _text, max_size=3)))),
        )
    if action == "correct":
        path, body = "/v1/corrections", b'{"ask":%s}' % body
    answer = town.call("POST", path, body, JSON)
    assert answer.status < 500, (ask, private, answer.body)
    if answer.status >= 400:
        said = answer.json()
        assert said["code"] != "defect"
        typed = [
            text
            for text in (*_texts(subject), private["case"], private["reason"])
            if len(text) > 8 and text not in (CASE, REASON, "residents")
        ]
        for one in typed:
            assert one not in said["detail"]


def _texts(value: Any) -> list[str]:
    return [] if value is None else [str(one) for one in value.values()]


def _encoded(value: Any) -> bytes:
    """Canonical where it can be; what no canonical text can hold is sent all the same."""
    try:
        return encode(value)
    except UnicodeEncodeError:
        return json.dumps(value, default=lambda one: one.hex(), sort_keys=True).encode()


def _json(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return json.dumps(value, default=lambda one: one.hex()).encode()
