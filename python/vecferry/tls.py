"""What `--require-tls` makes of the two URLs, and what is said of an end whose TLS leaves something open; pure."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from vecferry.errors import UsageError

if TYPE_CHECKING:
    from vecferry.config import DatabaseURL

_WEAK_SSLMODES = ("allow", "prefer")
_VERIFYING = ("verify-ca", "verify-full")


def source_mode(url: DatabaseURL) -> str:
    """Returns the `ssl-mode` of the source's URL, in capitals; PREFERRED is the default."""
    return (url.option("ssl-mode") or "PREFERRED").upper()


def target_mode(url: DatabaseURL) -> str:
    """Returns the `sslmode` that libpq takes for the target's URL.

    What a service file says is not in it
    (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-SSLMODE).
    """
    if found := url.option("sslmode") or os.environ.get("PGSSLMODE"):
        return found
    if url.option("ssl") == "true":  # JDBC's word, which libpq takes in URLs
        return "require"
    system = (url.option("sslrootcert") or os.environ.get("PGSSLROOTCERT")) == "system"
    return "verify-full" if system else "prefer"


def require_source(url: DatabaseURL) -> DatabaseURL:
    """Returns the source's URL for encrypted connections only.

    Raises:
        UsageError: the URL says that they are not to be encrypted.
    """
    mode = source_mode(url)
    if mode == "DISABLED":
        raise UsageError("--require-tls and the source URL's ssl-mode=DISABLED exclude each other: leave one out")
    if mode != "PREFERRED":
        return url
    return _with(url, "ssl-mode", "REQUIRED")


def require_target(url: DatabaseURL) -> DatabaseURL:
    """Returns the target's URL for encrypted connections only.

    Raises:
        UsageError: the URL says that they are not to be encrypted, goes to a socket, or leaves it to a service file.
    """
    mode = target_mode(url)
    if mode == "disable":
        where = "the target URL's sslmode=disable" if url.option("sslmode") else "the variable PGSSLMODE=disable"
        raise UsageError(f"--require-tls and {where} exclude each other: leave one out")
    if any("/" in host for host in (url.host, url.option("host") or "")):
        raise UsageError("--require-tls: the target URL names a Unix socket, which has no TLS: name a host")
    service = url.option("service") or os.environ.get("PGSERVICE")
    if service and not url.option("sslmode"):
        # A mode of ours would go before the file's, and may be a weaker one.
        raise UsageError(f"--require-tls: say sslmode in the target URL, too, where the service {service} is used")
    url = _with(url, "sslmode", "require" if mode in _WEAK_SSLMODES else mode)
    # libpq would take Kerberos' encryption before TLS where it can.
    return url if url.option("gssencmode") else _with(url, "gssencmode", "disable")


def source_remark(url: DatabaseURL, *, encrypted: bool) -> str | None:
    """Returns the sentence on a source whose connections are open to others on the way; None where they are not."""
    verified = source_mode(url).startswith("VERIFY")
    hints = "?ssl-mode=REQUIRED", "?ssl-mode=VERIFY_IDENTITY&ssl-ca=FILE"
    return _remark("source", url, hints, encrypted=encrypted, verified=verified)


def target_remark(url: DatabaseURL, *, encrypted: bool) -> str | None:
    """Returns the sentence on a target whose connections are open to others on the way; None where they are not."""
    mode = target_mode(url)
    # With a file of authorities libpq verifies under `require`, too.
    verified = mode in _VERIFYING or (mode == "require" and url.option("sslrootcert") is not None)
    hints = "?sslmode=require", "?sslmode=verify-full&sslrootcert=FILE"
    return _remark("target", url, hints, encrypted=encrypted, verified=verified)


def is_local(host: str) -> bool:
    """Returns whether `host` is this machine by its very name: a socket, localhost or a loopback address."""
    if host == "localhost" or "/" in host:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _remark(end: str, url: DatabaseURL, hints: tuple[str, str], *, encrypted: bool, verified: bool) -> str | None:
    if is_local(url.host) or (encrypted and verified):
        return None
    if not encrypted:
        return (
            f"the {end} {url.place} is reached without TLS: its rows cross the network in the clear:"
            f" {hints[0]} in its URL, or --require-tls, demands encryption"
        )
    return (
        f"the {end} {url.place} is reached over TLS, but nobody has verified that it is the right server:"
        f" {hints[1]} in its URL does"
    )


def _with(url: DatabaseURL, name: str, value: str) -> DatabaseURL:
    others = tuple(option for option in url.options if option[0] not in (name, "ssl" if name == "sslmode" else name))
    return replace(url, options=(*others, (name, value)))
