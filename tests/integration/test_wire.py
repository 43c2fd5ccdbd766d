"""Each wire column, loaded by COPY BINARY into a column of its type and read back by psycopg."""

from __future__ import annotations

import datetime as dt
import ipaddress
import math
import struct
from contextlib import closing
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from vecferry.config import parse_target
from vecferry.convert.embeddings import packed_to_float32, packed_to_wire
from vecferry.convert.values import ENCODERS, encode
from vecferry.model import ChunkResult
from vecferry.target.ingest import Loader
from vecferry.target.ledger import _STATEMENTS as LEDGER
from vecferry.target.ledger import chunk_statement

if TYPE_CHECKING:
    from tests.conftest import PostgresDatabase

RUN = UUID(int=1)
PARIS = ZoneInfo("Europe/Paris")


def load(postgres: PostgresDatabase, *columns: tuple[str, pa.Array]) -> None:
    """Makes a table `t` with a row number `n` and a column `v0`, `v1`, ... of each type, and loads it."""
    names = [f"v{number}" for number in range(len(columns))]
    kinds = [kind for kind, _ in columns]
    listed = ", ".join(f"{name} {kind}" for name, kind in zip(names, kinds, strict=True))
    postgres.execute(f"CREATE TABLE t (n bigint, {listed})")
    for statement in LEDGER:
        postgres.execute(statement)
    postgres.execute(
        "INSERT INTO vecferry.run (id, version, source, target_schema, fingerprint, plan)"
        f" VALUES ('{RUN}', '', '', 'public', '{{}}', '{{}}')"
    )
    rows = len(columns[0][1])
    batch = pa.record_batch([pa.array(range(rows), pa.int64()), *(column for _, column in columns)], ["n", *names])
    loader = Loader(parse_target(postgres.url), "public")
    with closing(loader), closing(loader.writer()) as writer:
        written = writer.write("t", pa.RecordBatchReader.from_batches(batch.schema, [batch]))
        writer.execute(chunk_statement(str(RUN), ChunkResult("t", 0, written, written, 0, batch.nbytes, 0.1)))
        writer.commit()
    assert written == rows


def read(postgres: PostgresDatabase, expression: str) -> list[Any]:
    """Returns what `expression` is in each row, in order."""
    return [value for (value,) in postgres.rows(f"SELECT {expression} FROM t ORDER BY n")]


def ewkb(x: float, y: float, srid: int | None = None) -> bytes:
    head = struct.pack("<BI", 1, 1) if srid is None else struct.pack("<BII", 1, 0x20000001, srid)
    return head + struct.pack("<dd", x, y)


NOON = dt.datetime(2024, 7, 1, 12, 0, 0, 1)
SHORT, LONG = ipaddress.ip_address("192.0.2.255"), ipaddress.ip_address("2001:db8::ff")

# Wire column, PostgreSQL's type, Arrow type, values, their values as psycopg reads them.
CASES: list[tuple[str, str, pa.DataType, list[Any], list[Any]]] = [
    ("int16", "smallint", pa.int8(), [-128, None], [-128, None]),
    ("int32", "integer", pa.uint16(), [65535, None], [65535, None]),
    ("int64", "bigint", pa.uint32(), [2**32 - 1, None], [2**32 - 1, None]),
    ("numeric", "numeric(20)", pa.uint64(), [2**64 - 1, None], [2**64 - 1, None]),
    ("float32", "real", pa.float32(), [1.5, None], [1.5, None]),
    *(
        ("float64", "double precision", kind, [largest, 0, None], [float(largest), 0.0, None])
        for kind, largest in [
            (pa.int8(), 127),
            (pa.uint8(), 255),
            (pa.int16(), 32767),
            (pa.uint16(), 65535),
            (pa.int32(), 2**31 - 1),
            (pa.uint32(), 2**32 - 1),
        ]
    ),
    *(
        ("bool", "boolean", kind, [1, 0, None], [True, False, None])
        for kind in (pa.int8(), pa.uint8(), pa.int16(), pa.int32())
    ),
    ("bit_bool", "boolean", pa.binary(), [b"\x01", b"\x00", None], [True, False, None]),
    ("bit", "bit(10)", pa.binary(), [b"\x02\x01", b"\x00\x00", None], ["1000000001", "0" * 10, None]),
    ("bit", "bit(64)", pa.binary(), [b"\xff" * 8, b"\x00" * 7 + b"\x01", None], ["1" * 64, "0" * 63 + "1", None]),
    ("bit", "bit varying(7)", pa.binary(), [b"\x41", None], ["1000001", None]),
    ("bit", "bit varying", pa.binary(), [b"\x41", None], ["01000001", None]),
    ("text", "text", pa.string(), ["é😀", "", None], ["é😀", "", None]),
    ("text", "an_enum", pa.string(), ["it's", "b", None], ["it's", "b", None]),
    ("jsonb", "jsonb", pa.string(), ['{"a": 1}', None], [{"a": 1}, None]),
    ("bytea", "bytea", pa.binary(), [ewkb(1, 2, 4326), b"", None], [ewkb(1, 2, 4326), b"", None]),
    ("text[]", "text[]", pa.string(), ["x,z", "", None], [["x", "z"], [], None]),
    ("uuid", "uuid", pa.string(), [str(RUN).upper(), RUN.hex, None], [RUN, RUN, None]),
    ("uuid_bytes", "uuid", pa.binary(), [RUN.bytes, None], [RUN, None]),
    ("inet", "inet", pa.binary(), [SHORT.packed, LONG.packed, None], [SHORT, LONG, None]),
    ("point", "point", pa.binary(), [ewkb(1.1, -2e-300), ewkb(0, math.inf, 4326), None],
     ["(1.1,-2e-300)", "(0,Infinity)", None]),
    ("date", "date", pa.date32(), [dt.date(1000, 1, 1), None], [dt.date(1000, 1, 1), None]),
    ("time", "time", pa.int64(), [86_399_999_999, 0, None], [dt.time.max, dt.time.min, None]),
    ("timestamp", "timestamp", pa.timestamp("us"), [NOON, None], [NOON, None]),
    ("timestamptz", "timestamptz", pa.timestamp("us"), [NOON, None], [NOON.replace(tzinfo=dt.UTC), None]),
    ("timestamptz@Europe/Paris", "timestamptz", pa.timestamp("us"), [NOON, None], [NOON.replace(tzinfo=PARIS), None]),
    ("interval", "interval", pa.int64(), [-3_600_000_001, None], [-dt.timedelta(hours=1, microseconds=1), None]),
]  # fmt: skip


def test_a_wire_column_is_what_its_type_receives(postgres: PostgresDatabase) -> None:
    postgres.execute("CREATE TYPE an_enum AS ENUM ('b', 'it''s')")
    longest = max(len(values) for *_, values, _ in CASES)
    load(
        postgres,
        *(
            (kind, encode(wire, pa.array([*values, *[None] * (longest - len(values))], arrow), str(arrow), kind))
            for wire, kind, arrow, values, _ in CASES
        ),
    )
    for number, (wire, kind, arrow, values, expected) in enumerate(CASES):
        found = read(postgres, f"v{number}")
        assert found[: len(values)] == expected, (wire, kind, arrow)


def test_every_wire_column_has_a_case() -> None:
    assert {wire.partition("@")[0] for wire, *_ in CASES} == set(ENCODERS)


def test_packed_vectors(postgres: PostgresDatabase) -> None:
    postgres.execute("CREATE EXTENSION vector")
    matrix = np.random.default_rng(3).standard_normal((500, 24)).astype(np.float32)
    matrix[0, :3] = [-0.0, 1e-45, 3.4028235e38]
    column = pa.array([row.astype("<f4").tobytes() if n % 7 != 1 else None for n, row in enumerate(matrix)])
    wired, invalid = packed_to_wire(column, 24)
    assert invalid == ()
    load(postgres, ("vector(24)", wired))
    header = struct.pack(">hh", 24, 0)
    expected = [header + row.astype(">f4").tobytes() if n % 7 != 1 else None for n, row in enumerate(matrix)]
    assert read(postgres, "vector_send(v0)") == expected


def test_packed_vectors_as_float32_lists(postgres: PostgresDatabase) -> None:
    postgres.execute("CREATE EXTENSION vector")
    column = pa.array([struct.pack("<3f", 0.1, -2, 3), None])
    floats, invalid = packed_to_float32(column, 3)
    assert invalid == ()
    load(postgres, ("real[]", floats))
    assert read(postgres, "v0::text") == ["{0.1,-2,3}", None]
    postgres.execute("ALTER TABLE t ALTER v0 TYPE vector(3)")
    assert read(postgres, "v0::text") == ["[0.1,-2,3]", None]


def test_times_are_what_postgresql_makes_of_them(postgres: PostgresDatabase) -> None:
    # The hour that exists twice is not among them: PostgreSQL takes the second.
    first = dt.datetime(2024, 3, 30)
    times = [first + n * dt.timedelta(minutes=10) for n in range(400)] + [
        dt.datetime(2050, 7, 1),
        dt.datetime(1900, 1, 1),
    ]
    column = encode("timestamptz@Europe/Paris", pa.array(times), "timestamp[us]", "timestamptz")
    load(postgres, ("timestamptz", column), ("timestamp", pa.array(times, pa.timestamp("us"))))
    assert read(postgres, "v0 = v1 AT TIME ZONE 'Europe/Paris'") == [True] * len(times)


def test_lists_land_in_arrays_of_other_types(postgres: PostgresDatabase) -> None:
    postgres.execute("CREATE TYPE an_enum AS ENUM ('x', 'z'); CREATE EXTENSION citext")
    kinds = ["character varying[]", "character varying(1)[]", "an_enum[]", "citext[]"]
    values = pa.array(["x,z", "", None])
    load(postgres, *((kind, encode("text[]", values, "string", kind)) for kind in kinds))
    for number in range(len(kinds)):
        assert read(postgres, f"v{number}::text") == ["{x,z}", "{}", None]
