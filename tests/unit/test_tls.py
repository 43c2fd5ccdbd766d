"""What --require-tls makes of URLs, and what is said of an end whose connections are open to others."""

from __future__ import annotations

import pytest

from vecferry.config import load, parse_source, parse_target
from vecferry.errors import UsageError
from vecferry.tls import is_local, source_remark, target_remark

SOURCE = "mysql://u@db.example/shop"
TARGET = "postgresql://u@pg.example/shop"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGSSLMODE", "PGSSLROOTCERT", "PGSERVICE", "VECFERRY_REQUIRE_TLS"):
        monkeypatch.delenv(name, raising=False)


def required(source: str = "", target: str = "") -> tuple[str | None, str | None]:
    """Returns the modes of both ends under --require-tls, given the URLs' options."""
    config = load(source=SOURCE + source, target=TARGET + target, require_tls=True)
    return config.source_url.option("ssl-mode"), config.target_url.option("sslmode")


@pytest.mark.parametrize(
    ("given", "mode"),
    [
        ("", "REQUIRED"),
        ("?ssl-mode=preferred", "REQUIRED"),
        ("?ssl-mode=REQUIRED", "REQUIRED"),
        ("?ssl-mode=VERIFY_CA&ssl-ca=/ca.pem", "VERIFY_CA"),
        ("?ssl-ca=/ca.pem&ssl-mode=VERIFY_IDENTITY", "VERIFY_IDENTITY"),
    ],
)
def test_the_source(given: str, mode: str) -> None:
    assert required(source=given)[0] == mode


@pytest.mark.parametrize(
    ("given", "mode"),
    [
        ("", "require"),
        ("?sslmode=allow", "require"),
        ("?sslmode=prefer", "require"),
        ("?sslmode=require", "require"),
        ("?ssl=true", "require"),
        ("?sslmode=verify-ca&sslrootcert=/ca.pem", "verify-ca"),
        ("?sslmode=verify-full", "verify-full"),
        ("?sslrootcert=system", "verify-full"),
    ],
)
def test_the_target(given: str, mode: str) -> None:
    assert required(target=given)[1] == mode


def test_a_variable_is_not_weakened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert required()[1] == "verify-full"
    monkeypatch.setenv("PGSSLMODE", "prefer")
    assert required()[1] == "require"


def test_kerberos_does_not_take_the_place_of_tls() -> None:
    config = load(source=SOURCE, target=TARGET, require_tls=True)
    assert config.target_url.option("gssencmode") == "disable"


@pytest.mark.parametrize(
    ("source", "target", "complaint"),
    [
        ("?ssl-mode=DISABLED", "", "the source URL's ssl-mode=DISABLED exclude each other"),
        ("?ssl-mode=disabled", "", "the source URL's ssl-mode=DISABLED exclude each other"),
        ("", "?sslmode=disable", "the target URL's sslmode=disable exclude each other"),
        ("", "?host=/run/postgresql", "a Unix socket, which has no TLS"),
        ("", "?service=shop", "say sslmode in the target URL, too, where the service shop is used"),
    ],
)
def test_a_url_that_says_otherwise_is_refused(source: str, target: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        required(source, target)


def test_variables_that_say_otherwise_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSERVICE", "shop")
    with pytest.raises(UsageError, match="say sslmode in the target URL"):
        required()
    assert required(target="?sslmode=verify-ca")[1] == "verify-ca"
    monkeypatch.delenv("PGSERVICE")
    monkeypatch.setenv("PGSSLMODE", "disable")
    with pytest.raises(UsageError, match="the variable PGSSLMODE=disable"):
        required()


def test_it_may_be_a_variable_or_in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(source=SOURCE, target=TARGET).source_url.option("ssl-mode") is None
    monkeypatch.setenv("VECFERRY_REQUIRE_TLS", "true")
    assert load(source=SOURCE, target=TARGET).source_url.option("ssl-mode") == "REQUIRED"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "::1", "/run/postgresql"])
def test_this_machine(host: str) -> None:
    assert is_local(host)


@pytest.mark.parametrize("host", ["db", "10.0.0.7", "localhost.example", "2001:db8::1"])
def test_another_machine(host: str) -> None:
    assert not is_local(host)


def test_remarks() -> None:
    for url in (SOURCE, f"{SOURCE}?ssl-mode=REQUIRED"):
        said = source_remark(parse_source(url), encrypted=True)
        assert said is not None
        assert "nobody has verified" in said
    assert "without TLS" in str(source_remark(parse_source(SOURCE), encrypted=False))
    assert source_remark(parse_source(f"{SOURCE}?ssl-mode=VERIFY_CA"), encrypted=True) is None
    assert source_remark(parse_source("mysql://u@localhost/shop"), encrypted=False) is None
    assert "without TLS" in str(target_remark(parse_target(TARGET), encrypted=False))
    assert "nobody has verified" in str(target_remark(parse_target(f"{TARGET}?sslmode=require"), encrypted=True))
    for options in ("sslmode=verify-ca", "sslmode=verify-full", "sslmode=require&sslrootcert=/ca.pem"):
        assert target_remark(parse_target(f"{TARGET}?{options}"), encrypted=True) is None
    assert target_remark(parse_target("postgresql://u@127.0.0.1/shop"), encrypted=False) is None
