"""Large dumps pass the dump reader in little memory."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# The most memory that the process ever had, before and after, in KiB, and what it found.
SCAN = """
import sys
from vecferry._core import DumpScan

def most():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

before = most()
scan = DumpScan(sys.argv[1])
rows = sum(piece.rows for piece in scan)
print(rows, scan.complete, most() - before)
"""


def test_a_statement_of_200_mb_and_a_row_of_64_mb_pass_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.sql"
    with path.open("wb") as file:
        file.write(b"INSERT INTO t VALUES\n")
        for row in range(136):
            file.write(b"(%d,'" % row + b"it\\'s \\\\ " * (1 << 17) + b"'),\n")
        file.write(b"(0,'" + b"x" * (64 << 20) + b"');\n-- Dump completed\n")
    done = subprocess.run([sys.executable, "-c", SCAN, str(path)], capture_output=True, check=True, text=True)
    rows, complete, grown = done.stdout.split()
    assert (rows, complete) == ("137", "True")
    assert int(grown) < 8 << 10
