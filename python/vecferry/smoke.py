"""What `[smoke]` of the configuration wants tried after a migration: statements, then requests."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from vecferry.errors import TargetError
from vecferry.report.report import SmokeResult
from vecferry.sections import Smoke, filled, secrets_of
from vecferry.steps.smoke_http import check_http
from vecferry.steps.smoke_sql import check_sql, expectation
from vecferry.target.connect import connect, translated

if TYPE_CHECKING:
    from vecferry.config import Config
    from vecferry.report.report import Report


def run_smoke(config: Config) -> tuple[SmokeResult, ...]:
    """Runs every statement and every request of `[smoke]`, one after the other.

    Raises:
        UsageError: a header names a variable that is not set.
    """
    smoke = config.smoke
    if smoke is None:
        return ()
    headers = request_headers(smoke)
    results: list[SmokeResult] = []
    if smoke.sql:
        results += _statements(config, smoke)
    for check, sent in zip(smoke.http, headers, strict=True):
        secrets = (*secrets_of(smoke.headers), *secrets_of(check.headers))
        results.append(check_http(check, smoke.base_url or "", sent, smoke.timeout_seconds, secrets))
    return tuple(results)


def _statements(config: Config, smoke: Smoke) -> list[SmokeResult]:
    results: list[SmokeResult] = []
    try:
        with closing(connect(config.target_url)) as target, translated(config.target_url, "run the smoke tests"):
            target.execute("SET default_transaction_read_only = on")
            for check in smoke.sql:
                results.append(check_sql(target, check, smoke.timeout_seconds))  # noqa: PERF401 - kept if one raises
    except TargetError as error:
        # The report of hours of work must not be lost for it.
        lost = smoke.sql[len(results) :]
        results += [SmokeResult(check.name, "sql", False, expectation(check), str(error), 0.0) for check in lost]
    return results


def request_headers(smoke: Smoke) -> list[dict[str, str]]:
    """Returns the headers of each request, variables filled in; a request's own go before the section's.

    Raises:
        UsageError: a header names a variable that is not set.
    """
    common = filled(smoke.headers, "smoke.headers")
    result = []
    for number, check in enumerate(smoke.http):
        own = filled(check.headers, f"smoke.http[{number}].headers ({check.name})")
        named = {name.lower() for name in own}
        result.append({**{name: value for name, value in common.items() if name.lower() not in named}, **own})
    return result


def with_smoke(config: Config, report: Report) -> Report:
    """Returns a run's report with the results of `[smoke]`; a failed one is the status where all else is well.

    Raises:
        UsageError: as for `run_smoke`.
    """
    results = run_smoke(config)
    if not results:
        return report
    failed = not all(result.passed for result in results)
    status = "smoke failed" if failed and report.status in {"ok", "nothing to do"} else report.status
    return replace(report, smoke=results, status=status)
