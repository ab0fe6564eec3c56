"""What a command line names: a file, or a database by an address that holds no password."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.custody.intake import place
from strongroom.custody.intake.place import Address
from strongroom.errors import InputError


@pytest.mark.parametrize(
    "text", ["people.csv", "./postgres://x", "a:b@c", "@", "my file.db", "//a/b", "password.csv", "C:x"]
)
def test_files(text: str) -> None:
    assert place.parse(text) == Path(text)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://",
        "postgres://host/base",
        "postgresql://user@host:5432/base",
        "postgresql://host1:1,host2:2/base?target_session_attrs=any",
        "postgresql://[::1]:5432/base",
        "postgresql:///base?host=/run/postgresql&passfile=/x/pgpass&service=city",
        "postgresql://user%40town@host/base?sslmode=verify-full&sslkey=/x/key",
    ],
)
def test_addresses(text: str) -> None:
    assert place.parse(text) == Address(text)
    assert place.parse("POSTGRES" + text.removeprefix("postgres")) == Address(text)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://user:hunter2@host/base",
        "postgresql://user:@host/base",
        "POSTGRESQL://user:hunter2@host",
        "postgresql://user:hun/ter2@host/base",
        "postgresql://user:hun@ter2@host/base",
        "postgresql://user:hunter2?@host/base",
        "postgresql://host/base?password=hunter2",
        "postgresql://host/base?p%61ssword=hunter2",
        "postgresql://host/base?a=b&sslpassword=hunter2",
        "postgresql://host/base?oauth_client_secret=hunter2",
        "postgresql://host/base?scram_client_key=hunter2",
        "host=db password=hunter2",
        "password='hunter2' host=db",
        "mysql://user:hunter2@host/base",
        "postgresq://user:hunter2@host/base",
        "https://user:hunter2@host/people.csv",
        "postgresql:/user:hunter2@host/base",
        "postgresql:user:hunter2@host",
    ],
)
def test_a_password_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(InputError) as refused:
        place.parse(text)
    assert "hun" not in str(refused.value)


@given(st.text(alphabet="a@:/?&=%4 ", max_size=30), st.sampled_from(["postgresql://", "postgres:", "x://", ""]))
def test_no_text_is_quoted_and_no_address_has_credentials(text: str, scheme: str) -> None:
    said, found = "", None
    try:
        found = place.parse(scheme + text)
    except InputError as error:
        said = str(error)
    assert said in {"", place.REFUSAL, place.UNKNOWN}
    if isinstance(found, Address):
        assert ":" not in found.url.partition("://")[2].partition("?")[0].rpartition("@")[0]
