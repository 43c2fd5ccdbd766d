"""Dumps in files of every compression, and from a pipe."""

from __future__ import annotations

import gzip
import lzma
import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from vecferry._core import DumpError, DumpFile, DumpScan, DumpSettings, parse_rows, split_points

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = ",\n".join(f"({row},'{random.Random(row).randbytes(400).hex()}')" for row in range(5000))
DUMP = f"SET NAMES utf8mb4;\nINSERT INTO t VALUES\n{ROWS};\n-- Dump completed\n".encode()


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    compressed: bytes = sink.getvalue().to_pybytes()
    return compressed


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "none": bytes,
    "gzip": lambda data: gzip.compress(data, 1),
    "zstd": zstd,
    "xz": lambda data: lzma.compress(data, preset=0),
}


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_file_is_read_through_and_at_any_place(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "dump"
    half = len(DUMP) // 2
    # Compressed files one after the other are one, as gzip, zstd and xz have it.
    path.write_bytes(COMPRESSIONS[compression](DUMP[:half]) + COMPRESSIONS[compression](DUMP[half:]))
    plain = tmp_path / "plain"
    plain.write_bytes(DUMP)
    expected = DumpScan(plain)
    scan = DumpScan(path, with_data=True, piece_bytes=50_000)
    pieces = list(scan)
    assert b",\n".join(piece.data for piece in pieces if piece.data).decode() == ROWS
    assert sum(piece.rows for piece in expected) == 5000
    assert (scan.complete, scan.compression, scan.size) == (True, compression, len(DUMP))
    assert (scan.digest, scan.line) == (expected.digest, expected.line)

    file = DumpFile(path)
    places = [sorted(random.Random(seed).choices(range(len(DUMP) + 1), k=2)) for seed in range(40)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda place: file.read(*place), places))
    assert found == [DUMP[start:end] for start, end in places]
    with pytest.raises(OSError, match="ends before byte"):
        file.read(0, len(DUMP) + 1)
    assert file.read(10, 20) == DUMP[10:20]
    assert split_points(path, 3) == []

    # A scan can begin at a later statement of a compressed file, too.
    start = DUMP.index(b"INSERT")
    later = list(DumpScan(path, start=start, line=2))
    assert later[0].line == 3


@pytest.mark.parametrize("compression", ["gzip", "zstd", "xz"])
def test_a_compressed_file_that_is_cut_or_damaged_is_told(tmp_path: Path, compression: str) -> None:
    whole = COMPRESSIONS[compression](DUMP)
    path = tmp_path / "dump"
    for length in [20, len(whole) // 2, len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(DumpError, match=r"line \d+, byte \d+: the compressed data is damaged or cut short"):
            list(DumpScan(path))
    if compression == "zstd":  # Arrow writes it without a checksum.
        return
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 0xFF
    path.write_bytes(damaged)
    with pytest.raises(DumpError):
        list(DumpScan(path))


def test_a_dump_comes_through_a_pipe() -> None:
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(gzip.compress(DUMP, 1))

    thread = threading.Thread(target=write)
    thread.start()
    scan = DumpScan(reading)
    os.close(reading)
    assert sum(piece.rows for piece in scan) == 5000
    assert scan.complete
    thread.join()


def test_errors_of_the_system_and_of_use_are_python_s_own(tmp_path: Path) -> None:
    for refused in (DumpFile, DumpScan, lambda path: split_points(path, 2)):
        with pytest.raises(FileNotFoundError) as missing:
            refused(tmp_path / "missing")
        assert missing.value.filename == str(tmp_path / "missing")
    for wanted in [[(1, "text")], [(0, "words")], [(0, "text:klingon")]]:
        with pytest.raises(ValueError, match="field 1 is not one of 1|is no kind of column"):
            parse_rows(b"(1)", offset=0, line=1, fields=1, wanted=wanted, settings=DumpSettings())


def test_settings_are_values() -> None:
    settings = DumpSettings(no_backslash_escapes=True, charset="LATIN1", time_zone="+00:00", server="8.0.36")
    same = DumpSettings(**settings.as_dict())  # type: ignore[arg-type]
    assert (settings, hash(settings), repr(settings)) == (same, hash(same), repr(same))
    assert settings != DumpSettings(charset="latin1", time_zone="+00:00", server="8.0.36")
    assert (settings.charset, settings.no_backslash_escapes, settings.ansi_quotes) == ("latin1", True, False)
