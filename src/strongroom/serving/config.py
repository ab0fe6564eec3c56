"""One file of settings, the environment, the command line; and of each setting, where it came from (SPEC.md section 10.4).

The last of these that says something counts: default, ``strongroom.toml``, ``STRONGROOM_SECTION_SETTING``, an argument.
The schema is closed: a setting that nobody knows would be one that somebody relies on.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec

from strongroom.errors import InputError, of_system

FILE_NAME = "strongroom.toml"
_PREFIX = "STRONGROOM_"

Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Host = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z:._-]+\Z")]
Url = Annotated[str, msgspec.Meta(pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*)?\Z")]
LogForm = Annotated[str, msgspec.Meta(pattern=r"^(json|text)\Z")]


class Listener(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """Where a server listens. Port 0 takes a free one. Files are PEM; those of a configuration file are relative to it."""

    host: Host = "127.0.0.1"
    port: Port = 0
    tls_certificate: Path | None = None
    """Its own certificate and those between it and a root. Without one the server speaks without TLS, on loopback only."""
    tls_key: Path | None = None
    client_ca: Path | None = None
    """Whoever connects shows a certificate of one of these."""
    admin_host: Host = "127.0.0.1"
    admin_port: Port | None = None
    """Health and metrics; none where there is no port."""
    connections: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1000
    stop_seconds: Annotated[int, msgspec.Meta(ge=0, le=3600)] = 20
    """How long what is under way may take once the server was told to stop."""


class Telemetry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    log: LogForm = "json"
    """``json``: an object a line. ``text``: for people."""
    traces: Url | None = None
    """Where spans go, in OTLP over HTTP: ``http://127.0.0.1:4318/v1/traces``. Wants ``strongroom[telemetry]``."""


class Identity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    origin: Url | None = None
    """The vault's address as its clients write it, which tokens and passkeys are bound to: ``https://records.example``."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    development: bool = False
    """Both houses on one machine, and the rest that is for trying out only."""
    vault: Listener = Listener()
    keyholder: Listener = Listener()
    witness: Listener = Listener()
    telemetry: Telemetry = Telemetry()
    identity: Identity = Identity()


@dataclass(frozen=True)
class Loaded:
    """``sources``: of each setting, ``default``, ``FILE:LINE``, the variable's name, or the argument's."""

    settings: Settings
    sources: Mapping[str, str]
    file: Path | None

    def items(self) -> Iterator[tuple[str, object, str]]:
        """Each setting as (``section.setting``, value, source). There is no secret among them: keys are named by their files."""
        for name, owner in _places():
            section, _, _ = name.rpartition(".")
            holder = getattr(self.settings, section) if section else self.settings
            yield name, getattr(holder, owner.name), self.sources[name]


def load(room: Path, environment: Mapping[str, str], arguments: Mapping[str, Any], file: Path | None = None) -> Loaded:
    """The settings in force. ``arguments`` by ``section.setting``, those that are None left out.

    ``file``: named by who calls; else ``$STRONGROOM_CONFIG``, else ``ROOM/strongroom.toml`` where there is one.
    Raises ``InputError`` naming file, place and the nearest known name; nothing is taken of a file in which anything is wrong.
    """
    path = file or (Path(environment["STRONGROOM_CONFIG"]) if environment.get("STRONGROOM_CONFIG") else None)
    if path is None and (room / FILE_NAME).is_file():
        path = room / FILE_NAME
    places = dict(_places())
    found: dict[str, tuple[Any, str]] = {}
    if path is not None:
        found |= _of_file(path, places)
    found |= _of_environment(environment, places)
    for name, given in arguments.items():
        if given is not None:
            found[name] = (given, f"--{name.rpartition('.')[2]}")
    values: dict[str, Any] = {}
    for name, (value, source) in found.items():
        section, _, key = name.rpartition(".")
        (values.setdefault(section, {}) if section else values)[key] = _convert(name, value, source, places[name].type)
    settings = msgspec.convert(values, Settings, dec_hook=_path)
    return Loaded(settings, {name: found[name][1] if name in found else "default" for name in places}, path)


def _places() -> Iterator[tuple[str, msgspec.structs.FieldInfo]]:
    for top in msgspec.structs.fields(Settings):
        if isinstance(top.type, type) and issubclass(top.type, msgspec.Struct):
            for one in msgspec.structs.fields(top.type):
                yield f"{top.encode_name}.{one.encode_name}", one
        else:
            yield top.encode_name, top


def _of_file(path: Path, places: Mapping[str, object]) -> dict[str, tuple[Any, str]]:
    try:
        text = path.read_bytes().decode()
        tree = tomllib.loads(text)
    except OSError as error:
        raise InputError(of_system(error, path)) from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8. Write it as text in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: not TOML: {error}. Mend the line") from None
    lines = _lines(text)
    sections = {name.partition(".")[0] for name in places if "." in name}
    found: dict[str, tuple[Any, str]] = {}
    for top, value in tree.items():
        if top in sections and not isinstance(value, dict):
            raise InputError(f"{path}: {top} is a section. Write [{top}] on a line of its own")
        inside = {f"{top}.{key}": one for key, one in value.items()} if top in sections else {top: value}
        for name, one in inside.items():
            line = lines.get(name) or lines.get(top)
            source = f"{path}:{line}" if line else str(path)
            if name not in places:
                where = f"[{top}] has no setting" if top in sections else "there is no section or setting"
                raise InputError(f"{source}: {where} {name.rpartition('.')[2]}. {_nearest(name, places, sections)}")
            # A file is moved and copied as a whole: what it names lies beside it, wherever a server was started.
            found[name] = (path.parent / one if _is_file(places[name]) and isinstance(one, str) else one, source)
    return found


def _is_file(place: object) -> bool:
    return isinstance(place, msgspec.structs.FieldInfo) and place.type == Path | None


def _of_environment(environment: Mapping[str, str], places: Mapping[str, object]) -> dict[str, tuple[Any, str]]:
    names = {_PREFIX + re.sub("[.-]", "_", name).upper(): name for name in places}
    sections = tuple({f"{_PREFIX}{name.partition('.')[0].upper()}_" for name in places if "." in name})
    found: dict[str, tuple[Any, str]] = {}
    for variable in sorted(environment):
        if variable in names:
            found[names[variable]] = (environment[variable], f"${variable}")
        elif variable.startswith(sections):
            near = difflib.get_close_matches(variable, names, 1, 0)
            raise InputError(f"${variable}: there is no such setting. The nearest is ${near[0]}")
    return found


def _convert(name: str, value: Any, source: str, kind: Any) -> Any:
    try:
        # What is no file's is text: "7400" is a number there, "true" a truth.
        return msgspec.to_builtins(
            msgspec.convert(value, kind, strict=not source.startswith("$"), dec_hook=_path), enc_hook=str
        )
    except msgspec.ValidationError as error:
        raise InputError(f"{source}: {name}: {error}. strongroom config shows what each setting takes") from None


def _path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str | Path):
        return Path(value)
    raise ValueError("Expected the name of a file")


def _nearest(name: str, places: Mapping[str, object], sections: set[str]) -> str:
    top, _, key = name.rpartition(".")
    known = {
        one.rpartition(".")[2] if top else one.partition(".")[0]
        for one in places
        if not top or one.startswith(f"{top}.")
    }
    near = difflib.get_close_matches(key, known, 1, 0.65)
    if near:
        return f"Did you mean {f'[{near[0]}]' if near[0] in sections and not top else near[0]}?"
    return f"There are: {', '.join(sorted(known))}"


_SECTION = re.compile(r"\s*\[\s*([A-Za-z0-9_-]+)\s*\]")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")


def _lines(text: str) -> dict[str, int]:
    """On which line a section or setting stands, as people write TOML; other ways of writing it have no line."""
    found: dict[str, int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        if match := _SECTION.match(line):
            section = match[1]
            found.setdefault(section, number)
        elif match := _KEY.match(line):
            found.setdefault(f"{section}.{match[1]}" if section else match[1], number)
    return found
