"""What a run is told: URLs, options, variables and the TOML file, and which of them wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vecferry.config import Config, EmbeddingOption, load, parse_source, parse_target
from vecferry.errors import ExitCode, UsageError, mask

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = "mysql://reader@db.example/shop"
TARGET = "postgresql://writer@pg.example/shop"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Config.model_fields:
        monkeypatch.delenv(f"VECFERRY_{name.upper()}", raising=False)
    for name in ("VECFERRY_SOURCE_PASSWORD", "VECFERRY_TARGET_PASSWORD", "MYSQL_PWD", "PGPASSWORD"):
        monkeypatch.delenv(name, raising=False)


class TestSourceUrl:
    def test_parts(self) -> None:
        url = parse_source("mysql://reader:secret@db.example:3307/shop?ssl-mode=REQUIRED")
        assert (url.scheme, url.host, url.port, url.database, url.user) == (
            "mysql",
            "db.example",
            3307,
            "shop",
            "reader",
        )
        assert url.password == "secret"
        assert url.option("ssl-mode") == "REQUIRED"
        assert url.option("ssl-ca") is None

    def test_mariadb_is_mysql_and_the_port_has_a_default(self) -> None:
        url = parse_source("mariadb://reader@db.example/shop")
        assert (url.scheme, url.port) == ("mysql", 3306)

    def test_ipv6(self) -> None:
        url = parse_source("mysql://reader:secret@[2001:db8::1]:3307/shop")
        assert url.host == "2001:db8::1"
        assert url.place == "[2001:db8::1]:3307/shop"
        assert url.with_password() == "mysql://reader:secret@[2001:db8::1]:3307/shop"

    def test_percent_encoding_goes_there_and_back(self) -> None:
        text = "mysql://re%40der:p%2Fa%3As%23s%25@db.example:3306/my%20shop"
        url = parse_source(text)
        assert (url.user, url.password, url.database) == ("re@der", "p/a:s#s%", "my shop")
        assert url.with_password() == text

    def test_an_empty_password_is_a_password(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VECFERRY_SOURCE_PASSWORD", "other")
        assert parse_source("mysql://reader:@db.example/shop").password == ""

    def test_password_from_a_variable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert parse_source(SOURCE).password is None
        monkeypatch.setenv("MYSQL_PWD", "common")
        assert parse_source(SOURCE).password == "common"
        monkeypatch.setenv("VECFERRY_SOURCE_PASSWORD", "own")
        assert parse_source(SOURCE).password == "own"

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("", "mysql:// or mariadb://"),
            ("db.example/shop", "mysql:// or mariadb://"),
            ("postgresql://reader:topsecret@db.example/shop", "mysql:// or mariadb://"),
            ("mysql://db.example/shop", "no user"),
            ("mysql://reader:topsecret@db.example", "no database"),
            ("mysql://reader:topsecret@db.example/", "no database"),
            ("mysql://reader:topsecret@/shop", "no host"),
            ("mysql://reader:topsecret@db.example:port/shop", "cannot be read"),
            ("mysql://reader:topsecret@db.example:99999/shop", "cannot be read"),
            ("mysql://reader:top#secret@db.example/shop", "percent-encoded"),
            ("mysql://reader:topsecret@db.example/shop#x", "%23"),
            ("mysql://reader:topsecret@[2001:db8::1/shop", "cannot be read"),
            ("mysql://reader:topsecret@db.example/shop?ssl=1", "'ssl'"),
            ("mysql://reader:topsecret@db.example/shop?ssl-mode=MAYBE", "'MAYBE'"),
        ],
    )
    def test_what_is_no_url_is_refused_without_its_password(self, text: str, complaint: str) -> None:
        with pytest.raises(UsageError) as caught:
            parse_source(text)
        assert complaint in str(caught.value)
        assert "secret" not in str(caught.value)
        assert caught.value.exit_code == ExitCode.USAGE

    @pytest.mark.parametrize("password", ["one@two/three", "one@two?three=four", "one@two/three?four=five"])
    def test_a_piece_of_a_password_is_not_taken_for_a_host(self, password: str) -> None:
        with pytest.raises(UsageError, match="percent-encode") as caught:
            parse_source(f"mysql://reader:{password}@db.example/shop")
        for piece in ("one", "two", "three", "four", "five"):
            assert piece not in str(caught.value)


class TestTargetUrl:
    def test_parts(self) -> None:
        url = parse_target("postgres://writer:secret@pg.example/shop?sslmode=verify-full&sslrootcert=/etc/ca.pem")
        assert (url.scheme, url.port) == ("postgresql", 5432)
        assert url.option("sslrootcert") == "/etc/ca.pem"

    def test_password_from_a_variable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PGPASSWORD", "common")
        assert parse_target(TARGET).password == "common"
        monkeypatch.setenv("VECFERRY_TARGET_PASSWORD", "own")
        assert parse_target(TARGET).password == "own"

    def test_a_password_among_the_options_is_the_password(self) -> None:
        url = parse_target("postgresql://writer@pg.example/shop?password=top%2Fsecret&sslpassword=hush&sslmode=require")
        assert (url.password, url.option("password"), url.secrets) == ("top/secret", None, ("top/secret", "hush"))
        for text in (str(url), repr(url)):
            assert "secret" not in text
            assert "hush" not in text

    def test_another_kind_of_server_is_refused(self) -> None:
        with pytest.raises(UsageError, match="postgresql://"):
            parse_target(SOURCE)


def test_a_url_shows_no_password() -> None:
    url = parse_source("mysql://reader:topsecret@db.example/shop")
    for text in (str(url), repr(url), f"{url}", url.place):
        assert "topsecret" not in text
    assert str(url) == "mysql://reader@db.example:3306/shop"


def test_mask_takes_passwords_out_of_foreign_messages() -> None:
    message = 'cannot open "mysql://reader:p%40ss@db.example/shop" with p@ss'
    assert mask(message, "p@ss", None, "") == 'cannot open "mysql://reader:***@db.example/shop" with ***'


@pytest.mark.parametrize(
    "spelled",
    [
        'it\'s "x"/é  \\y',
        "it%27s%20%22x%22%2F%C3%A9%20%20%5Cy",
        "it%27s%20%22x%22%2f%c3%a9%20%20%5cy",
        "it%27s+%22x%22%2F%C3%A9++%5Cy",
        'it\\\'s "x"/é  \\\\y',
        'it\'s \\"x\\"/\\u00e9  \\\\y',
        'it\'s \\"x\\"/é  \\\\y',
        "it''s \"x\"/é  \\y",
        'it\'s "x"/é \\y',
    ],
)
def test_mask_knows_how_passwords_are_spelled(spelled: str) -> None:
    assert mask(f"no <{spelled}> here", 'it\'s "x"/é  \\y') == "no <***> here"


class TestPrecedence:
    def file(self, directory: Path) -> Path:
        path = directory / "vecferry.toml"
        path.write_text(f'source = "{SOURCE}"\ntarget = "{TARGET}"\nworkers = 3\nm = 8\ntables = ["a", "b"]\n')
        return path

    def test_the_file_fills_in(self, tmp_path: Path) -> None:
        config = load(self.file(tmp_path))
        assert (config.workers, config.m, config.tables, config.distance) == (3, 8, ("a", "b"), "cosine")
        assert str(config.source_url) == "mysql://reader@db.example:3306/shop"

    def test_a_variable_wins_over_the_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VECFERRY_WORKERS", "5")
        monkeypatch.setenv("VECFERRY_TABLES", "c, d")
        config = load(self.file(tmp_path))
        assert (config.workers, config.m, config.tables) == (5, 8, ("c", "d"))

    def test_an_option_wins_over_both(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VECFERRY_WORKERS", "5")
        monkeypatch.setenv("VECFERRY_TABLES", "c, d")
        config = load(self.file(tmp_path), workers=7, tables=("e",), m=None)
        assert (config.workers, config.m, config.tables) == (7, 8, ("e",))


class TestFaults:
    def test_nothing_given_names_both_ends(self) -> None:
        with pytest.raises(UsageError) as caught:
            load()
        assert "no source given: use --source URL or set VECFERRY_SOURCE" in str(caught.value)
        assert "no target given: use --target URL or set VECFERRY_TARGET" in str(caught.value)

    def test_a_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="does not exist"):
            load(tmp_path / "none.toml")

    def test_a_file_that_is_no_toml(self, tmp_path: Path) -> None:
        (tmp_path / "bad.toml").write_text("workers = = 3\n")
        with pytest.raises(UsageError, match="cannot be read"):
            load(tmp_path / "bad.toml", source=SOURCE, target=TARGET)

    def test_an_unknown_key(self, tmp_path: Path) -> None:
        (tmp_path / "typo.toml").write_text("worker = 3\n")
        with pytest.raises(UsageError, match="worker"):
            load(tmp_path / "typo.toml", source=SOURCE, target=TARGET)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("workers", 0),
            ("workers", "many"),
            ("chunk_bytes", "1kB"),
            ("chunk_bytes", "a lot"),
            ("distance", "euclid"),
            ("vector_load", "copy"),
            ("m", 1),
            ("ef_construction", 2),
            ("index_memory", "1kB"),
        ],
    )
    def test_a_value_out_of_range_names_its_option(self, name: str, value: object) -> None:
        with pytest.raises(UsageError, match=f"^--{name.replace('_', '-')}: "):
            load(None, source=SOURCE, target=TARGET, **{name: value})

    def test_a_value_is_not_repeated(self) -> None:
        with pytest.raises(UsageError) as caught:
            load(source=SOURCE, target=TARGET, workers="topsecret")
        assert "topsecret" not in str(caught.value)


def test_sizes_are_read_as_people_write_them() -> None:
    config = load(source=SOURCE, target=TARGET, chunk_bytes="32MB", index_memory="2GiB")
    assert (config.chunk_bytes, config.index_memory) == (32_000_000, 2 * 1024**3)


class TestEmbeddingOption:
    def test_forms(self) -> None:
        assert EmbeddingOption.parse("docs.vector") == EmbeddingOption("docs", "vector", None)
        assert EmbeddingOption.parse("docs.vector:1536") == EmbeddingOption("docs", "vector", 1536)

    @pytest.mark.parametrize("text", ["docs", "docs.", ".vector", "docs.vector:", "docs.vector:0", "docs.vector:x"])
    def test_another_form_is_refused(self, text: str) -> None:
        with pytest.raises(UsageError, match="table\\.column"):
            load(source=SOURCE, target=TARGET, embedding=(text,))


def test_a_misspelt_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VECFERRY_WORKER", "3")
    with pytest.raises(UsageError, match=r"the variable VECFERRY_WORKER is no option: did you mean VECFERRY_WORKERS\?"):
        load(source="mysql://u@h/db", target="postgresql://u@h/db")
    monkeypatch.delenv("VECFERRY_WORKER")
    monkeypatch.setenv("VECFERRY_SOURCE_PASSWORD", "x")
    monkeypatch.setenv("VECFERRY_WORKERS", "3")
    assert load(source="mysql://u@h/db", target="postgresql://u@h/db").workers == 3


class TestOpenFile:
    """A file with a password that others may read."""

    def load(self, directory: Path, mode: int, source: str = "mysql://u:topsecret@h/db") -> Config:
        file = directory / "vecferry.toml"
        file.write_text(f'source = "{source}"\ntarget = "{TARGET}"\n')
        file.chmod(mode)
        return load(file)

    @pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o602])
    def test_it_is_refused(self, tmp_path: Path, mode: int) -> None:
        with pytest.raises(UsageError, match=r"holds a password and is open to others: chmod 600 .*vecferry\.toml$"):
            self.load(tmp_path, mode)

    def test_it_is_refused_before_anything_else_in_it(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="chmod 600"):
            self.load(tmp_path, 0o644, "mysql://u:p@x/y@h/db")

    @pytest.mark.parametrize("mode", [0o600, 0o400])
    def test_its_owners_alone_is_read(self, tmp_path: Path, mode: int) -> None:
        assert self.load(tmp_path, mode).source_url.password == "topsecret"

    @pytest.mark.parametrize("source", ["mysql://u@h/db", "mysql://u@h:3306/db", "mysql://u:@h/db"])
    def test_without_a_password_anybody_may_read_it(self, tmp_path: Path, source: str) -> None:
        assert not self.load(tmp_path, 0o644, source).source_url.password
