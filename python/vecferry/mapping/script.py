"""The text around the rows of a SQL script that psql loads: settings, one transaction, what stands before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vecferry.mapping.identifiers import literal, qualified, quote, quote_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vecferry.model import DdlObject, EmbeddingSpec, Plan, SequencePlan, TablePlan

COMPLETE = "-- vecferry: complete"
"""The last line of a whole script."""
ROWS_END = "\\.\n"

_ORDER = {"primary key": 0, "unique": 1, "index": 2, "check": 3, "foreign key": 4}

# An extension's types and operators are named without their schema, which may be one that nobody looks into.
_PATH = """\
PERFORM set_config('search_path', concat_ws(', ', nullif(current_setting('search_path'), ''), string_agg(name, ', ')),
  true)
FROM (SELECT DISTINCT quote_ident(n.nspname) AS name FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
  WHERE e.extname IN ('vector', 'citext', 'postgis')) AS schemas;"""

# A column's own sequence (serial, identity), and those that its default draws from without owning them; one that has
# not been called yet gives its last value next.
_SEQUENCES = """\
SELECT greatest(max({column}), {last}) INTO top FROM {place};
FOR found IN
  SELECT c.oid::regclass AS name, q.seqincrement AS step FROM pg_sequence q JOIN pg_class c ON c.oid = q.seqrelid
  WHERE c.oid = pg_get_serial_sequence({table}, {name})::regclass OR c.oid IN (
    SELECT d.refobjid FROM pg_attribute a JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
    JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid
      AND d.refclassid = 'pg_class'::regclass
    WHERE a.attrelid = {table}::regclass AND a.attname = {name})
LOOP
  EXECUTE format('SELECT last_value FROM %s', found.name) INTO last;
  IF found.step > 0 AND top >= last THEN PERFORM setval(found.name, top); END IF;
END LOOP;"""

_DEFERRED = "vecferry_deferred"
_DEFER = """\
CREATE TEMPORARY TABLE {deferred} ON COMMIT DROP AS
  SELECT format('ALTER TABLE %s ALTER CONSTRAINT %I', conrelid::regclass, conname) AS change
  FROM pg_constraint WHERE contype = 'f' AND NOT condeferrable AND conrelid IN ({tables}) AND confrelid IN ({tables});
"""


def opening(about: str) -> str:
    """Returns how a script begins: what it is, then settings for this transaction alone.

    Args:
        about: what it was made from, any text.
    """
    # Whatever a file is called, the comment stays one.
    plain = "".join(letter if letter.isprintable() else "?" for letter in about)
    return f"""\
-- {plain.encode("ascii", "backslashreplace").decode()}
-- Load it with: psql -X -v ON_ERROR_STOP=1 -d DATABASE -f THIS_FILE
-- It is one transaction: what fails leaves nothing behind. The last line of a whole file is "{COMPLETE}".
\\set ON_ERROR_STOP on
BEGIN;
SET LOCAL client_encoding = 'UTF8';
SET LOCAL standard_conforming_strings = on;
SET LOCAL client_min_messages = warning;
SET LOCAL statement_timeout = 0;
SET LOCAL lock_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = 0;
SET LOCAL intervalstyle = 'postgres';
SET LOCAL extra_float_digits = 1;
"""


def closing() -> str:
    """Returns how a script ends."""
    return f"COMMIT;\n{COMPLETE}\n"


def time_zone(zone: str) -> str:
    """Returns the setting by which times without a zone are read where a column wants one."""
    return f"SET LOCAL timezone = {literal(zone).strip()};\n"


def path() -> str:
    """Returns what lets the types of extensions be named without their schema."""
    return block(_PATH)


def structure(plan: Plan) -> str:
    """Returns what is made before the rows: the schema, extensions, types and tables without keys."""
    found = []
    if plan.target_schema != "public":
        found.append(f"CREATE SCHEMA IF NOT EXISTS {quote(plan.target_schema)}")
    found += [f"CREATE EXTENSION IF NOT EXISTS {quote(name)} SCHEMA public" for name in plan.extensions]
    # A table that is called like the sequence of another has to be there before it: PostgreSQL then gives the
    # sequence another name.
    tables = []
    for table in sorted(plan.tables, key=lambda table: not table.target.endswith("_seq")):
        if table.create is not None:
            tables += [*(item.statement for item in table.requires), table.create, *table.finish]
    return f"{statements(found)}{path()}\n{statements(tables)}\n"


def rows_begin(schema: str, table: TablePlan) -> str:
    """Returns the COPY that a table's rows follow."""
    names = quote_all([column.name for column in table.columns])
    return f"COPY {qualified(schema, table.target)} ({names}) FROM stdin;\n"


def keys(plan: Plan, *, keep_orphans: bool) -> str:
    """Returns keys, indexes, checks and foreign keys in this order; checks that rows break are left out with a warning.

    Args:
        plan: the plan.
        keep_orphans: whether a foreign key that rows break stays NOT VALID, with a warning, instead of ending it all.
    """
    wanted = sorted((item for table in plan.tables for item in table.after), key=lambda item: _ORDER[item.kind])
    found = []
    for item in wanted:
        if item.kind == "check":
            words = f"the CHECK {item.name} of table {item.table} is left out: "
            found.append(attempt(item.statement, "check_violation OR data_exception", words))
        elif item.kind == "foreign key" and keep_orphans:
            found.append(_proven_if_possible(plan.target_schema, item))
        else:
            found.append(statements([item.statement, *item.then]))
    return "".join(found) + "\n"


def _proven_if_possible(schema: str, item: DdlObject) -> str:
    bare = item.statement.removesuffix(" NOT VALID")
    validate = f"ALTER TABLE {qualified(schema, item.table)} VALIDATE CONSTRAINT {quote(item.name)}"
    words = f"the foreign key {item.name} of table {item.table} stays NOT VALID: "
    return statements([f"{bare} NOT VALID"]) + attempt(validate, "foreign_key_violation", words)


def vector_index(spec: EmbeddingSpec, memory_bytes: int) -> str:
    """Returns the statement of an HNSW index with the memory that its build gets."""
    if spec.statement is None:
        return ""
    return statements([f"SET LOCAL maintenance_work_mem = '{memory_bytes // 1024}kB'", spec.statement])


def views(plan: Plan) -> str:
    """Returns the views; one that PostgreSQL refuses is not made, with a warning."""
    return "".join(attempt(item.statement, "OTHERS", f"the view {item.name} was not made: ") for item in plan.views)


def sequences(schema: str, found: Sequence[SequencePlan]) -> str:
    """Returns what sets each sequence to its column's maximum, or to what the source gave last."""
    return "".join(_sequence(schema, item) for item in found)


def _sequence(schema: str, item: SequencePlan) -> str:
    place = qualified(schema, item.table)
    body = _SEQUENCES.format(
        column=quote(item.column),
        last=item.next_number - 1,
        place=place,
        table=literal(place).strip(),
        name=literal(item.column).strip(),
    )
    return block(body, "found record; top bigint; last bigint;")


def analyze(plan: Plan) -> str:
    """Returns ANALYZE of every table."""
    return statements(f"ANALYZE {qualified(plan.target_schema, table.target)}" for table in plan.tables)


# --- rows into tables that are there ---------------------------------------------------------------


def truncate(schema: str, tables: Sequence[str]) -> str:
    """Returns what empties all tables at once; one that others reference from outside is refused by PostgreSQL."""
    listed = ",\n  ".join(qualified(schema, table) for table in tables)
    return f"TRUNCATE\n  {listed};\n" if listed else ""


def defer(schema: str, tables: Sequence[str]) -> str:
    """Returns what puts the foreign keys among some tables off to the end of the rows: they reference one another."""
    listed = ", ".join(f"{literal(qualified(schema, table)).strip()}::regclass" for table in tables)
    made = _DEFER.format(deferred=_DEFERRED, tables=listed)
    return f"{made}{_each_deferred('DEFERRABLE')}SET CONSTRAINTS ALL DEFERRED;\n"


def proven() -> str:
    """Returns what proves the foreign keys that `defer` has put off, and makes them what they were."""
    return f"SET CONSTRAINTS ALL IMMEDIATE;\n{_each_deferred('NOT DEFERRABLE')}"


def _each_deferred(what: str) -> str:
    loop = f"FOR found IN SELECT change FROM {_DEFERRED} LOOP EXECUTE found.change || ' {what}'; END LOOP;"
    return block(loop, "found record;")


# --- pieces ----------------------------------------------------------------------------------------


def statements(texts: Iterable[str]) -> str:
    """Returns statements, each ended."""
    return "".join(f"{text};\n" for text in texts)


def attempt(statement: str, condition: str, words: str) -> str:
    """Returns a statement that may fail with a warning.

    Args:
        statement: any statement but one that ends a transaction.
        condition: PostgreSQL's name of the errors that are no more than a warning.
        words: how the warning begins; the error's own words follow.
    """
    run = f"EXECUTE {literal(statement).strip()};"
    warn = f"RAISE WARNING '%', {literal(words).strip()} || SQLERRM;"
    return block(f"{run}\nEXCEPTION WHEN {condition} THEN {warn}")


def block(body: str, variables: str = "") -> str:
    """Returns an anonymous block of PL/pgSQL."""
    declared = f"DECLARE {variables} " if variables else ""
    tag = next(tag for tag in _tags() if tag not in body)
    return f"DO {tag} {declared}BEGIN\n{body}\nEND {tag};\n"


def _tags() -> Iterator[str]:
    yield "$vecferry$"
    number = 0
    while True:
        number += 1
        yield f"$vecferry{number}$"
