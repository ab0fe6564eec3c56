"""Settings and their sources: each layer over the one before, nothing unknown, nothing half taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from strongroom.errors import InputError
from strongroom.serving import config


def _load(room: Path, text: str | None = None, env: dict[str, str] | None = None, **arguments: object) -> config.Loaded:
    if text is not None:
        (room / config.FILE_NAME).write_text(text)
    return config.load(room, env or {}, arguments)


def test_the_last_of_four_counts(tmp_path: Path) -> None:
    default = _load(tmp_path)
    assert (default.settings.vault.port, default.sources["vault.port"], default.file) == (0, "default", None)
    file = tmp_path / config.FILE_NAME
    text = "# a remark\n[telemetry]\nlog = 'text'\n\n[vault]\nhost = '::1'\nport = 1\n"
    of_file = _load(tmp_path, text)
    assert (of_file.settings.vault.port, of_file.sources["vault.port"]) == (1, f"{file}:7")
    assert (of_file.settings.telemetry.log, of_file.sources["telemetry.log"]) == ("text", f"{file}:3")
    env = {"STRONGROOM_VAULT_PORT": "2", "STRONGROOM_ROOM": "elsewhere", "STRONGROOM_TRACEBACK": "1"}
    of_environment = _load(tmp_path, text, env)
    assert (of_environment.settings.vault.port, of_environment.sources["vault.port"]) == (2, "$STRONGROOM_VAULT_PORT")
    given_ = _load(tmp_path, text, env, **{"vault.port": 3, "vault.host": None})
    assert (given_.settings.vault.port, given_.sources["vault.port"]) == (3, "--port")
    assert (given_.settings.vault.host, given_.sources["vault.host"]) == ("::1", f"{file}:6")


def test_which_file(tmp_path: Path) -> None:
    for name, port in (("named.toml", 1), ("variable.toml", 2), (config.FILE_NAME, 3)):
        (tmp_path / name).write_text(f"[vault]\nport = {port}\n")
    env = {"STRONGROOM_CONFIG": str(tmp_path / "variable.toml")}
    ports = [
        config.load(tmp_path, env, {}, tmp_path / "named.toml").settings.vault.port,
        config.load(tmp_path, env, {}).settings.vault.port,
        config.load(tmp_path, {}, {}).settings.vault.port,
        config.load(tmp_path / "elsewhere", {}, {}).settings.vault.port,
    ]
    assert ports == [1, 2, 3, 0]
    with pytest.raises(InputError, match=r"gone\.toml: No such file"):
        config.load(tmp_path, {}, {}, tmp_path / "gone.toml")


def test_files_are_beside_the_file_that_names_them(tmp_path: Path) -> None:
    env = {"STRONGROOM_VAULT_TLS_KEY": "here.key"}
    found = _load(
        tmp_path, "[vault]\ntls-certificate = 'tls/vault.pem'\nclient-ca = '/etc/ca.pem'\n", env
    ).settings.vault
    assert found.tls_certificate == tmp_path / "tls" / "vault.pem"
    assert found.client_ca == Path("/etc/ca.pem")
    assert found.tls_key == Path("here.key")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[vault]\n\nprot = 1\n", r":3: \[vault\] has no setting prot\. Did you mean port\?"),
        ("[valt]\nport = 1\n", r":1: there is no section or setting valt\. Did you mean \[vault\]\?"),
        ("development = 1\n", r":1: development: Expected `bool`"),
        ("[vault]\nport = '1'\n", r":2: vault\.port: Expected `int`"),
        ("[vault]\nport = 65536\n", r":2: vault\.port: Expected `int` <= 65535"),
        ("[vault]\nport = true\n", r":2: vault\.port: Expected `int`"),
        ("[vault]\nconnections = 0\n", r":2: vault\.connections: Expected `int` >= 1"),
        ("[vault]\nhost = 'a b'\n", r":2: vault\.host: Expected `str` matching"),
        ("[vault]\ntls-key = 3\n", r":2: vault\.tls-key: Expected the name of a file"),
        ("[telemetry]\nlog = 'xml'\n", r":2: telemetry\.log: Expected"),
        ("[telemetry]\ntraces = 'ftp://x'\n", r":2: telemetry\.traces: Expected"),
        ("[identity]\norigin = 'https://user:word@x'\n", r":2: identity\.origin: Expected"),
        (
            "[ledger]\nenabled = false\n",
            r":1: there is no section or setting ledger\. There are: development, identity",
        ),
        ("[vault]\nledger = false\n", r":2: \[vault\] has no setting ledger\."),
        ("vault = 1\n", r"vault is a section\. Write \[vault\]"),
        ("[vault\n", "not TOML: Expected ']'"),
        ("[vault]\nport = 1\nport = 2\n", "not TOML: Cannot overwrite"),
        ("vault.prot = 1\n", r"\[vault\] has no setting prot\."),
    ],
)
def test_one_error_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        _load(tmp_path, text)
    assert str(tmp_path / config.FILE_NAME) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_not_text(tmp_path: Path) -> None:
    (tmp_path / config.FILE_NAME).write_bytes(b"[vault]\nhost = '\xff'\n")
    with pytest.raises(InputError, match="not UTF-8"):
        _load(tmp_path)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("STRONGROOM_VAULT_PROT", "1", r"\$STRONGROOM_VAULT_PROT: there is no such setting\. The nearest is \$STRONGROOM_VAULT_PORT"),
        ("STRONGROOM_VAULT_PORT", "one", r"\$STRONGROOM_VAULT_PORT: vault\.port: Expected `int`"),
        ("STRONGROOM_VAULT_PORT", "１", r"\$STRONGROOM_VAULT_PORT: vault\.port: Expected `int`"),
        ("STRONGROOM_DEVELOPMENT", "perhaps", r"\$STRONGROOM_DEVELOPMENT: development: Expected `bool`"),
    ],
)  # fmt: skip
def test_a_variable_that_is_wrong(tmp_path: Path, variable: str, value: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        _load(tmp_path, env={variable: value})


def test_every_setting_has_a_value_a_source_and_a_variable(tmp_path: Path) -> None:
    loaded = _load(tmp_path)
    found = list(loaded.items())
    assert len(found) == len(loaded.sources) > 20
    samples = {int: "1", bool: "true", Path: "/x"}
    for name, value, source in found:
        assert source == "default"
        text = samples.get(
            type(value), "1" if name.endswith("port") else "text" if name.endswith("log") else "http://x"
        )
        text = "::1" if name.endswith("host") else text
        variable = "STRONGROOM_" + name.upper().replace(".", "_").replace("-", "_")
        assert _load(tmp_path, env={variable: text}).sources[name] == f"${variable}"
