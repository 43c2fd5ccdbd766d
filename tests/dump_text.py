"""A dump's statements, split by lines: enough for dumps without rows, whose strings hold no bare end of line."""

from __future__ import annotations

import re

from vecferry.dump.statement import Settings, Statement

HEAD = re.compile(
    r"CREATE (?:OR REPLACE )?(?:ALGORITHM=\w+ )?(?:DEFINER=`[^`]*`@`[^`]*` )?(?:SQL SECURITY \w+ )?"
    r"(TABLE|VIEW|TRIGGER|PROCEDURE|FUNCTION|EVENT|DATABASE)\b|(ALTER TABLE|DROP|USE|SET)\b",
    re.IGNORECASE,
)
ABOUT = re.compile(r"(?:TABLE|VIEW) (?:IF NOT EXISTS )?`?((?:[^`]|``)*?)[`\s(]", re.IGNORECASE)


def split(text: str) -> list[Statement]:
    found: list[Statement] = []
    server = re.search(r"^-- Server version:?\s+(.*)$", text, re.MULTILINE)
    settings = Settings(server=server[1] if server else None)
    database, delimiter = None, ";"
    lines: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("DELIMITER "):
            delimiter = line.split()[1]
        elif not line.startswith("--") and (line or lines):
            lines.append(line)
            if line.endswith(delimiter):
                statement = "\n".join(lines).removesuffix(delimiter)
                head = HEAD.match(" ".join(re.sub(r"/\*M?!\d*|\*/", " ", statement).split()))
                kind = (f"create {head[1]}" if head[1] else head[2]).lower() if head else "other"
                if kind == "use":
                    database = statement.split()[1].strip("`")
                about = ABOUT.search(statement)
                name = about[1].replace("``", "`") if about else None
                found.append(Statement(kind, statement, name, database, number - len(lines) + 1, settings))
                lines = []
    return found
