"""The parser alone: embeddings as JSON text in memory to float32, beside `orjson.loads` and numpy on the same text.

One thread, runs of one after runs of the other, medians. `python -m bench.parser --help` says how to call it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa

from vecferry import _core

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

DIMENSIONS = 1536


def measure(rows: int = 2000, repeats: int = 5) -> dict[str, Any]:
    """Times each way of reading the same `rows` embeddings.

    Args:
        rows: embeddings of 1,536 dimensions, about 42 KB of JSON each.
        repeats: runs of each way, interleaved; the median counts.

    Returns:
        `rows`, `dimensions`, `bytes` of JSON, `repeats`, and for each way (`vecferry` to float32, `vecferry_wire` to
        pgvector's wire form, `orjson_numpy` to float32) the median `seconds` and `gb_per_second` of JSON.

    Raises:
        RuntimeError: the core is a debug build, or the ways do not agree on every bit.
    """
    if _core.DEBUG:
        raise RuntimeError("the core is a debug build: build it with `maturin develop --release` first")
    texts = embeddings(rows)
    column = pa.array(texts, pa.large_string())
    ways: dict[str, Callable[[], object]] = {
        "vecferry": lambda: _core.parse_embeddings(column, DIMENSIONS),
        "vecferry_wire": lambda: _core.embeddings_to_wire(column, DIMENSIONS),
        "orjson_numpy": lambda: with_orjson(texts),
    }
    check(column, texts)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, run in ways.items():
            began = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - began)
    size = sum(map(len, texts))
    result: dict[str, Any] = {"rows": rows, "dimensions": DIMENSIONS, "bytes": size, "repeats": repeats}
    for name, times in seconds.items():
        median = statistics.median(times)
        result[name] = {"seconds": median, "gb_per_second": size / median / 1e9}
    return result


def embeddings(rows: int) -> list[str]:
    """Makes unit vectors as an application stores them: float32 values, each widened to a JSON number."""
    generator = np.random.default_rng(1536)
    vectors = generator.standard_normal((rows, DIMENSIONS), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [orjson.dumps({str(key): value for key, value in enumerate(row.tolist())}).decode() for row in vectors]


def with_orjson(texts: list[str]) -> npt.NDArray[np.float32]:
    """Reads them as a careful script does, (rows, dimensions) of float32."""
    return np.array([np.array(list(orjson.loads(text).values()), np.float32) for text in texts])


def check(column: pa.Array, texts: list[str]) -> None:
    """Refuses to time ways that differ in a bit."""
    values = pa.array(_core.parse_embeddings(column, DIMENSIONS).values()).flatten().to_numpy()
    if values.tobytes() != with_orjson(texts).tobytes():
        raise RuntimeError("the core and orjson with numpy do not agree")


def main() -> int:
    """Runs the command line and returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.parser")
    parser.add_argument("--rows", type=int, default=2000, help="embeddings of 1,536 dimensions (%(default)s)")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each way (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args()
    try:
        result = measure(options.rows, options.repeats)
    except RuntimeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if options.json:
        print(json.dumps(result))
        return 0
    print(f"{result['rows']:,} embeddings of {DIMENSIONS:,} dimensions, {result['bytes'] / 1e6:.0f} MB of JSON")
    for name in ("vecferry", "vecferry_wire", "orjson_numpy"):
        way = result[name]
        factor = result["orjson_numpy"]["seconds"] / way["seconds"]
        print(f"{name:<14} {way['seconds'] * 1000:8.1f} ms {way['gb_per_second']:6.2f} GB/s {factor:6.1f} x")
    return 0


if __name__ == "__main__":
    sys.exit(main())
