"""Keys, checks, foreign keys and views after the data, and the rows that break them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import psycopg
import pytest

from vecferry.model import DdlObject, Plan, TablePlan
from vecferry.steps.keys import Unproven, make_keys, missing_keys

if TYPE_CHECKING:
    from tests.conftest import PostgresDatabase

Kind = Literal["type", "function", "primary key", "unique", "index", "check", "foreign key", "view"]

VALIDATED = """
SELECT conname, convalidated FROM pg_constraint
WHERE contype IN ('c', 'f') AND conrelid <> 0 AND connamespace = 'public'::regnamespace AND conparentid = 0
ORDER BY conname
"""


def _constraint(kind: Kind, table: str, name: str, rest: str) -> DdlObject:
    quoted = name.replace('"', '""')
    return DdlObject(kind, table, name, f'ALTER TABLE "public"."{table}" ADD CONSTRAINT "{quoted}" {rest}')


def _view(name: str, query: str) -> DdlObject:
    return DdlObject("view", "", name, f'CREATE VIEW "public"."{name}" AS {query}')


def _plan(*objects: DdlObject, views: tuple[DdlObject, ...] = (), schema: str = "public") -> Plan:
    # The tables' names in the source are others, so that a step that uses them fails.
    tables = [
        TablePlan(f"source of {name}", name, (), (), (), 0, 0, None, after=tuple(o for o in objects if o.table == name))
        for name in dict.fromkeys(item.table for item in objects)
    ]
    return Plan("s", schema, tuple(tables), embeddings=(), sequences=(), views=views)


def _make(postgres: PostgresDatabase, plan: Plan) -> tuple[Unproven, ...]:
    return make_keys(postgres.connect(), plan)


def _missing(postgres: PostgresDatabase, plan: Plan) -> list[str]:
    return [item.name for item in missing_keys(postgres.connect(), plan)]


PARENT_KEY = _constraint("primary key", "p", "p_pkey", "PRIMARY KEY (id)")
CHILD_KEY = _constraint("primary key", "c", "c_pkey", "PRIMARY KEY (id)")
FOREIGN_KEY = _constraint("foreign key", "c", "fk", 'FOREIGN KEY (p_id) REFERENCES "public"."p" (id) ON DELETE CASCADE')
INDEX = DdlObject("index", "c", "fk", 'CREATE INDEX "fk" ON "public"."c" (p_id)')
CHECK = _constraint("check", "c", "positive", "CHECK (n > 0)")
UNIQUE = _constraint("unique", "c", "once", "UNIQUE (n)")
TABLES = "CREATE TABLE p (id int NOT NULL); CREATE TABLE c (id int NOT NULL, p_id bigint, n int);"


def test_everything_is_made_in_an_order_that_works(postgres: PostgresDatabase) -> None:
    postgres.execute(TABLES + "INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1, 5), (2, NULL, NULL)")
    views = (
        _view("first", "SELECT c.id, c.n, count(*) AS parents FROM c JOIN p ON p.id = c.p_id GROUP BY c.id"),
        _view("second", "SELECT * FROM first"),
    )
    plan = _plan(FOREIGN_KEY, INDEX, CHECK, UNIQUE, CHILD_KEY, PARENT_KEY, views=views)
    names = [(item.kind, item.name) for item in missing_keys(postgres.connect(), plan)]
    assert names == [
        ("primary key", "c_pkey"),
        ("primary key", "p_pkey"),
        ("unique", "once"),
        ("index", "fk"),
        ("check", "positive"),
        ("foreign key", "fk"),
        ("view", "first"),
        ("view", "second"),
    ]
    assert _make(postgres, plan) == ()
    assert _missing(postgres, plan) == []
    assert postgres.rows(VALIDATED) == [("fk", True), ("positive", True)]
    assert postgres.rows("SELECT * FROM second") == [(1, 5, 1)]
    before = postgres.rows("SELECT oid FROM pg_class UNION ALL SELECT oid FROM pg_constraint ORDER BY 1")
    assert _make(postgres, plan) == ()
    assert postgres.rows("SELECT oid FROM pg_class UNION ALL SELECT oid FROM pg_constraint ORDER BY 1") == before


def test_orphans_are_counted_and_named_by_the_childs_primary_key(postgres: PostgresDatabase) -> None:
    postgres.execute(TABLES + "INSERT INTO p VALUES (1)")
    postgres.execute(
        "INSERT INTO c SELECT n, CASE WHEN n % 2 = 0 THEN 1 WHEN n < 100 THEN n END FROM generate_series(130, 3, -1) n"
    )
    plan = _plan(CHILD_KEY, FOREIGN_KEY, CHECK, PARENT_KEY)
    expected = Unproven(
        "foreign key",
        "c",
        "fk",
        49,
        ("id = 3", "id = 5", "id = 7"),
        'insert or update on table "c" violates foreign key constraint "fk"',
    )
    assert _make(postgres, plan) == (expected,)
    assert postgres.rows(VALIDATED) == [("fk", False), ("positive", True)]
    assert _missing(postgres, plan) == []
    # It holds for every later row, and it is proven once the rows are mended.
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        postgres.execute("INSERT INTO c VALUES (1000, 99, 1)")
    assert _make(postgres, plan) == (expected,)
    postgres.execute("DELETE FROM c WHERE p_id > 1 AND id > 3")
    assert [(item.count, item.examples) for item in _make(postgres, plan)] == [(1, ("id = 3",))]
    postgres.execute("DELETE FROM c WHERE p_id > 1")
    assert _make(postgres, plan) == ()
    assert postgres.rows(VALIDATED) == [("fk", True), ("positive", True)]


@pytest.mark.parametrize(
    ("match", "examples"),
    [
        ("MATCH SIMPLE", {"a \"b = 'O''x', b = 2", "a \"b = 'k', b = 3"}),
        ("MATCH FULL", {"a \"b = 'O''x', b = 2", "a \"b = 'k', b = 3", 'a "b = NULL, b = 1'}),
    ],
)
def test_orphans_of_several_columns_without_a_primary_key(
    postgres: PostgresDatabase, match: str, examples: set[str]
) -> None:
    postgres.execute("""
      CREATE SCHEMA "Else where"; CREATE TABLE "Else where"."P" (x text, "y z" numeric, UNIQUE ("y z", x));
      INSERT INTO "Else where"."P" VALUES ('k', 2);
      CREATE TABLE c ("a ""b" varchar(9), b int);
      INSERT INTO c VALUES ('k', 2), ('k', 3), ('O''x', 2), (NULL, NULL), (NULL, 1);
    """)
    name = 'f"k'
    key = _constraint(
        "foreign key", "c", name, f'FOREIGN KEY ("a ""b", b) REFERENCES "Else where"."P" (x, "y z") {match}'
    )
    [unproven] = _make(postgres, _plan(key))
    assert (unproven.name, unproven.count) == (name, len(examples))
    assert set(unproven.examples) == examples


def test_orphans_of_columns_with_other_collations(postgres: PostgresDatabase) -> None:
    postgres.execute("""
      CREATE TABLE p (id text COLLATE "POSIX" PRIMARY KEY); CREATE TABLE c (p_id text COLLATE "C");
      INSERT INTO p VALUES ('abc'); INSERT INTO c VALUES ('abc'), ('Abc');
    """)
    [unproven] = _make(postgres, _plan(_constraint("foreign key", "c", "fk", "FOREIGN KEY (p_id) REFERENCES p (id)")))
    assert (unproven.count, unproven.examples) == (1, ("p_id = 'Abc'",))


def test_a_self_reference_and_a_cycle(postgres: PostgresDatabase) -> None:
    postgres.execute("""
      CREATE TABLE a (id int, up int, b_id int); CREATE TABLE b (id int, a_id int);
      INSERT INTO a VALUES (2, 1, 1), (1, NULL, 1), (3, 9, 8); INSERT INTO b VALUES (1, 2), (2, 7);
    """)
    plan = _plan(
        _constraint("primary key", "a", "a_pkey", "PRIMARY KEY (id)"),
        _constraint("primary key", "b", "b_pkey", "PRIMARY KEY (id)"),
        _constraint("foreign key", "a", "up", "FOREIGN KEY (up) REFERENCES a (id)"),
        _constraint("foreign key", "a", "across", "FOREIGN KEY (b_id) REFERENCES b (id)"),
        _constraint("foreign key", "b", "back", "FOREIGN KEY (a_id) REFERENCES a (id) DEFERRABLE INITIALLY DEFERRED"),
    )
    found = {item.name: (item.count, item.examples) for item in _make(postgres, plan)}
    assert found == {"up": (1, ("id = 3",)), "across": (1, ("id = 3",)), "back": (1, ("id = 2",))}


def test_rows_that_break_a_check(postgres: PostgresDatabase) -> None:
    postgres.execute("""
      CREATE TABLE t (a uuid, b text, n int, "OR" int, PRIMARY KEY (b, a));
      INSERT INTO t SELECT gen_random_uuid(), 'fine', 1, NULL FROM generate_series(1, 9);
      INSERT INTO t VALUES ('00000000-0000-0000-0000-000000000001', 'x', 0, 1), (gen_random_uuid(), 'y', NULL, 1);
    """)
    check = _constraint("check", "t", "n's", """CHECK (n > 0 AND (b <> 'NOT VALID' OR "OR" = 2))""")
    [unproven] = _make(postgres, _plan(check))
    assert unproven == Unproven(
        "check",
        "t",
        "n's",
        1,
        ("b = 'x', a = '00000000-0000-0000-0000-000000000001'",),
        'check constraint "n\'s" of relation "t" is violated by some row',
    )
    with pytest.raises(psycopg.errors.CheckViolation):
        postgres.execute("INSERT INTO t VALUES (gen_random_uuid(), 'z', -1, 1)")
    postgres.execute("UPDATE t SET n = 1")
    assert _make(postgres, _plan(check)) == ()
    assert postgres.rows(VALIDATED) == [("n's", True)]


def test_checks_over_columns_without_an_order_and_over_none(postgres: PostgresDatabase) -> None:
    postgres.execute("CREATE TABLE t (body json, n int); INSERT INTO t VALUES ('{}', 1), ('[]', 2)")
    plan = _plan(
        _constraint("check", "t", "a", "CHECK (json_typeof(body) = 'object')"),
        _constraint("check", "t", "b", "CHECK (false)"),
    )
    found = [(item.name, item.count, item.examples) for item in _make(postgres, plan)]
    assert found == [("a", 1, ("body = '[]'",)), ("b", 2, ())]


@pytest.mark.parametrize("rows", ["(1, 1), (2, 0)", "(1, 9), (2, 0), (3, 1)"])
def test_a_check_that_cannot_be_computed_is_not_counted(postgres: PostgresDatabase, rows: str) -> None:
    postgres.execute(f"CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES {rows}")
    [unproven] = _make(postgres, _plan(_constraint("check", "t", "c", "CHECK (10 / n > 5)")))
    assert (unproven.count, unproven.examples) == (None, ())
    assert postgres.rows(VALIDATED) == [("c", False)]


def test_what_was_not_valid_before_stays_so(postgres: PostgresDatabase) -> None:
    postgres.execute(TABLES + "ALTER TABLE p ADD PRIMARY KEY (id); INSERT INTO c VALUES (1, 99, -1)")
    objects = [
        _constraint("foreign key", "c", "fk", "FOREIGN KEY (p_id) REFERENCES p(id) NOT VALID"),
        _constraint("check", "c", "positive", "CHECK ((n > 0)) NOT VALID"),
    ]
    if postgres.connect().info.server_version >= 180000:
        objects.append(_constraint("check", "c", "unenforced", "CHECK ((n > 0)) NOT ENFORCED"))
    plan = _plan(*objects)
    assert _make(postgres, plan) == ()
    assert _make(postgres, plan) == ()
    assert postgres.rows(VALIDATED) == [(item.name, False) for item in objects]


def test_equal_rows_in_a_unique_key_stop_it_and_it_goes_on_after(postgres: PostgresDatabase) -> None:
    postgres.execute(TABLES + "INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1, 5), (2, 1, 5), (3, 7, 8)")
    plan = _plan(CHILD_KEY, UNIQUE, FOREIGN_KEY, CHECK, PARENT_KEY, views=(_view("v", "SELECT id FROM c"),))
    with pytest.raises(psycopg.errors.UniqueViolation):
        _make(postgres, plan)
    assert _missing(postgres, plan) == ["once", "positive", "fk", "v"]
    postgres.execute("UPDATE c SET n = id")
    assert [item.name for item in _make(postgres, plan)] == ["fk"]
    assert _missing(postgres, plan) == []


class _Dying(psycopg.Connection[tuple[Any, ...]]):
    """A connection whose server process ends before the statement that `dies_at` counts down to."""

    dies_at = 0
    admin: PostgresDatabase

    def execute(self, *args: Any, **options: Any) -> psycopg.Cursor[tuple[Any, ...]]:
        self.dies_at -= 1
        if self.dies_at == 0:
            self.admin.rows("SELECT pg_terminate_backend(%s, 5000)", [self.info.backend_pid])
        return super().execute(*args, **options)


def test_it_goes_on_after_a_crash_at_every_statement(postgres: PostgresDatabase) -> None:
    views = (_view("v", "SELECT id FROM c"), _view("w", "SELECT nosuch FROM c"))
    plan = _plan(CHILD_KEY, INDEX, FOREIGN_KEY, CHECK, PARENT_KEY, views=views)
    crashes = 0
    while True:
        postgres.execute("DROP TABLE IF EXISTS c CASCADE; DROP TABLE IF EXISTS p")
        postgres.execute(TABLES + "INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1, 0), (2, 2, 1)")
        dying = _Dying.connect(postgres.url, autocommit=True)
        dying.admin, dying.dies_at = postgres, crashes + 1
        try:
            result = make_keys(dying, plan)
        except psycopg.OperationalError:
            crashes += 1
            result = _make(postgres, plan)
        else:
            break
        finally:
            dying.close()
        assert [(item.kind, item.name, item.count) for item in result] == [
            ("check", "positive", 1),
            ("foreign key", "fk", 1),
            ("view", "w", None),
        ]
        assert _missing(postgres, plan) == ["w"]
    assert crashes == 17  # one for each of its statements
    assert len(result) == 3


def test_views_that_are_refused_are_told_and_the_others_made(postgres: PostgresDatabase) -> None:
    postgres.execute("CREATE TABLE t (id int, name text); CREATE VIEW mine AS SELECT 7 AS seven; CREATE TABLE taken ()")
    views = (
        _view("a", "SELECT ifnull(id, 0) FROM t"),
        _view("b", "SELECT id FROM a"),
        _view("mine", "SELECT id FROM t"),
        _view("taken", "SELECT id FROM t"),
        _view("good", "SELECT id FROM t"),
    )
    plan = _plan(views=views)
    assert _make(postgres, plan) == (
        Unproven("view", "", "a", None, (), "function ifnull(integer, integer) does not exist"),
        Unproven("view", "", "b", None, (), 'relation "a" does not exist'),
        Unproven("view", "", "taken", None, (), 'relation "taken" already exists'),
    )
    assert _missing(postgres, plan) == ["a", "b", "taken"]
    assert postgres.rows("SELECT * FROM mine") == [(7,)]
    assert postgres.rows("SELECT * FROM good") == []


def test_only_the_targets_schema_counts(postgres: PostgresDatabase) -> None:
    postgres.execute('CREATE SCHEMA "O\'d"; CREATE TABLE "O\'d".c (id int, CONSTRAINT "positive" CHECK (id > 0))')
    postgres.execute("CREATE TABLE c (id int, n int); INSERT INTO c VALUES (1, -1)")
    plan = _plan(CHECK)
    assert _missing(postgres, plan) == ["positive"]
    assert [item.count for item in _make(postgres, plan)] == [1]
    other = _plan(_constraint("check", "c", "positive", "CHECK (id > 0)"), schema="O'd")
    assert _missing(postgres, other) == []
    assert _make(postgres, other) == ()


def test_a_foreign_key_of_a_partitioned_table(postgres: PostgresDatabase) -> None:
    postgres.execute("""
      CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1);
      CREATE TABLE c (id int, p_id int) PARTITION BY RANGE (id);
      CREATE TABLE c_low PARTITION OF c FOR VALUES FROM (0) TO (10);
      CREATE TABLE c_high PARTITION OF c FOR VALUES FROM (10) TO (20);
      INSERT INTO c VALUES (1, 1), (11, 5), (12, 5);
    """)
    plan = _plan(FOREIGN_KEY)
    [unproven] = _make(postgres, plan)
    early = postgres.connect().info.server_version < 180000  # it is proven at once or not made
    assert unproven.count == (None if early else 2)
    assert _missing(postgres, plan) == (["fk"] if early else [])
    postgres.execute("UPDATE c SET p_id = 1")
    assert _make(postgres, plan) == ()
    assert postgres.rows(VALIDATED) == [("fk", True)]
