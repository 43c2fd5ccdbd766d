"""Expressions and views on both servers: the same rows, the same values."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from vecferry.mapping.expressions import translate_expression, translate_view

if TYPE_CHECKING:
    from tests.conftest import MySQLDatabase, PostgresDatabase

# Column, MySQL type, PostgreSQL type.
COLUMNS = [
    ("id", "int", "integer"),
    ("a", "int", "integer"),
    ("b", "bigint", "bigint"),
    ("active", "tinyint(1)", "boolean"),
    ("s", "varchar(80)", "character varying(80)"),
    ("t", "text", "text"),
    ("n", "decimal(10,2)", "numeric(10,2)"),
    ("m", "decimal(12,4)", "numeric(12,4)"),
    ("r", "float", "real"),
    ("f", "double", "double precision"),
    ("d", "date", "date"),
    ("ts", "datetime(6)", "timestamp(6)"),
    ("ts0", "datetime", "timestamp(0)"),
    ("tz", "timestamp NULL", "timestamp(0) with time zone"),
    ("tm", "time", "interval"),
    ("j", "json", "jsonb"),
    ("k", "enum('low','mid','high')", '"public"."t_k_enum"'),
]
TYPES = {name: postgres_type for name, _, postgres_type in COLUMNS}
NULLS: tuple[Any, ...] = (None,) * 16
ROWS: list[tuple[Any, ...]] = [
    (1, 7, 3, 1, "Hello", "World", "12.35", "1.0050", 1.1, 2.5, "2024-01-31", "2024-02-29 23:59:59.999999",
     "2024-02-29 23:59:59", "2024-06-01 00:30:00", "10:20:30", '{"a": {"b": [1, "x", null]}, "s": "q"}', "low"),
    (2, -7, 3, 0, "", "", "-12.35", "-1.0050", -0.5, -2.5, "2023-12-31", "2023-12-31 00:00:00.000001",
     "2023-12-31 12:00:00", "2023-12-31 22:00:00", "00:00:00", '{"a": null, "s": "é\\"q", "n": 12, "t": true}', "mid"),
    (3, 0, 0, None, "éÀ ß😀", "  pad  ", "0.00", "0.0000", 0.0, 0.0, "2000-02-29", "2000-02-29 01:02:03",
     "2000-02-29 01:02:03", "2000-02-29 01:02:03", "838:59:59", '{"a": [{"b": 5}, 6], "s": ""}', "high"),
    (4, 1, -2, 1, "hello", "it's a \\ x_y%z", "0.05", "0.0001", 3.25, 1e20, "1999-01-01", "1999-12-31 23:59:59.5",
     "1999-12-31 23:59:59", "1999-12-31 23:59:59", "-00:30:00", "[1, [2, 3]]", "low"),
    (5, 2147483647, 9223372036854775, 0, "xxaxx", "a,b", "99999999.99", "99999999.9999", 16777216.0, 0.1, "2024-12-29",
     "2024-12-29 12:00:00", "2024-12-29 12:00:00", "2024-12-29 12:00:00", "23:59:59", '"text"', "mid"),
    (6, -2147483647, 1, 1, "10", "HELLO", "-0.01", "2.5000", 0.1, 0.3, "2024-02-29", "2024-03-31 10:00:00",
     "2024-03-31 10:00:00", "2024-03-31 10:00:00", "01:00:00", "{}", None),
    (7, *NULLS),
]  # fmt: skip

# MySQL's expression; its value must be the same everywhere, in a generated column too.
GENERATED = r"""
a
active
a + 1
a - b
a + a
a * a
-a
- b * 2
n + a
n * m
m - n
f + a
r * 2
r + n
a / 3
a / b
b / a
n / 3
n / m
f / a
r / 2
a / 0
round(a / b, 2)
round(n / 7, 1)
a div 2
a div b
a % 3
a mod b
a > b
a >= n
a = 7
a <> 0
a <=> NULL
active = 1
active = 0
active <> 0
active = active
active in (0, 1)
active + 1
active is true
active is not true
a is false
active > 0
a > 0 and b > 0
a > 0 or b > 0
a > 0 xor b > 0
not a > 0
!a
not active
a and b
a xor b
a between 0 and 10
a not between 0 and 10
a in (1, 7, NULL)
a not in (1, 7)
a = '7'
n = '12.35'
a is null
s is not null
isnull(a)
k = 'low'
k in ('low', 'high')
k <> 'mid'
k is null
ifnull(a, 0)
coalesce(a, b, 5)
coalesce(n, a, 0)
coalesce(s, 'none')
coalesce(active, 0)
ifnull(s, a)
if(a > 0, 'yes', 'no')
if(active, a, n)
case when a > 0 then 1 when a < 0 then -1 end
case a when 7 then 'seven' when 0 then 'zero' else s end
case when active then d else ts0 end
nullif(a, 7)
nullif(n, 0)
nullif(active, 0)
greatest(a, b)
least(a, n, 3)
greatest(d, ts)
concat(s, '-', t)
concat(a, ':', n, m)
concat_ws(', ', s, a, t)
concat_ws('', s, t)
char_length(s)
left(s, 3)
right(s, 2)
left(s, a)
left(s, -1)
substring(s, 2)
substr(s, 2, 3)
mid(s, 1, 2)
substring(s, 100)
trim(t)
ltrim(t)
rtrim(t)
trim(both 'x' from s)
trim(leading 'x' from s)
trim(trailing 'x' from s)
replace(s, 'l', 'L')
replace(s, '', 'x')
replace(t, '\\', '/')
ifnull(a / b, 0)
case when b = 0 then 0.5 else n / b end
abs(a)
abs(n)
abs(f)
round(n)
round(m, 2)
round(m, 3)
round(a, 2)
truncate(m, 2)
floor(n)
ceiling(n)
ceil(m)
floor(a)
cast(n as signed)
cast(f / 1e12 as signed)
cast(m as decimal(10,1))
cast(a as unsigned)
cast(a as char)
cast(n as char(3))
cast(s as char(2))
cast(a as decimal(12,2))
cast(ts as date)
cast(d as datetime)
cast(ts as datetime(6))
cast(a as double)
cast(a / 7 as decimal(12,2))
convert(s using utf8mb4)
date(ts)
date(d)
year(d)
month(ts)
day(d)
dayofmonth(ts)
hour(ts)
minute(ts)
second(ts)
quarter(d)
dayofweek(d)
weekday(d)
dayofyear(ts)
extract(year from d)
extract(hour from ts)
d + interval 1 day
d + interval 1 month
d - interval 1 year
d + interval 36 hour
ts + interval 3 month
ts - interval 90 minute
date_add(d, interval 2 week)
date_sub(ts, interval 1 quarter)
d + interval id day
ts0 + interval '5' second
ts + interval 7 microsecond
datediff(ts, d)
datediff(d, '2024-01-01')
timestampdiff(second, ts, ts0)
timestampdiff(hour, d, ts)
timestampdiff(day, ts, d)
d > '2020-01-01'
ts >= '2024-02-29 12:00:00'
d = ts
'2020-01-01' < d
d between '2020-01-01' and '2024-06-30'
tm > '10:00:00'
tz is null
json_unquote(json_extract(j, '$.s'))
json_unquote(json_extract(j, '$.a'))
json_unquote(json_extract(j, '$.a.b[1]'))
json_unquote(json_extract(j, '$.n'))
json_unquote(json_extract(j, '$.t'))
json_unquote(json_extract(j, '$.a[0].b'))
json_unquote(json_extract(j, '$[1][0]'))
json_extract(j, '$.a.b')
json_extract(j, '$.s') is null
NULL
1
'x'
1.50
true
date'2020-01-01'
""".strip().split("\n")

# What a view may say besides; comparisons of text are exact in PostgreSQL, so these have no two cases of a letter.
VIEWED = r"""
s = ''
s <> '10'
s in ('10', 'xxaxx')
s like 'xx%'
t like '%x\_y\%%'
t like '%x|_y%' escape '|'
t not like 'a%'
s = t
lower(s)
upper(t)
length(s)
octet_length(t)
concat_ws(t, s, a)
concat(d, ' ', ts)
concat(ts0)
concat(tz)
concat(k, '!')
cast(d as char)
k > 'low'
coalesce(k, 'none')
date(tz)
hour(tz)
tz > '2020-01-01'
tz = ts0
tz + interval 1 day
datediff(tz, d)
coalesce(tz, ts0)
case when s = '10' then 1 else 0 end
nullif(s, '')
s <=> NULL
cast(tz as date)
s between '1' and '2'
k like 'm%'
a like '1%'
s = '10' collate utf8mb4_bin
greatest(d, tz)
""".strip().split("\n")

CHECKS = """
s in ('', '10', 'xxaxx')
s regexp '^[0-9x]+$'
t regexp 'a,b|y'
s regexp 'x{2,3}a'
length(s) > 3
char_length(s) between 1 and 5
active
a
a > 0 and active
tz > '2020-01-01 00:00:00'
""".strip().split("\n")


@pytest.fixture
def both(mysql: MySQLDatabase, postgres: PostgresDatabase) -> tuple[MySQLDatabase, PostgresDatabase]:
    mysql.execute("SET time_zone = '+03:00'")
    postgres.execute("SET TIME ZONE INTERVAL '+03:00' HOUR TO MINUTE")
    postgres.execute("CREATE TYPE t_k_enum AS ENUM ('low', 'mid', 'high')")
    mysql.execute(f"CREATE TABLE t ({', '.join(f'{name} {kind}' for name, kind, _ in COLUMNS)}, PRIMARY KEY (id))")
    postgres.execute(f"CREATE TABLE t ({', '.join(f'{name} {kind}' for name, _, kind in COLUMNS)}, PRIMARY KEY (id))")
    for row in ROWS:
        marks = ", ".join(["%s"] * len(row))
        mysql.execute(f"INSERT INTO t VALUES ({marks})", row)
        values = [None if value is None else bool(value) if at == 3 else value for at, value in enumerate(row)]
        postgres.execute(f"INSERT INTO t VALUES ({marks})", values)
    return mysql, postgres


def _plain(value: Any) -> Any:
    """The same for values that are equal to a user of either server."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and value[:1] in {"[", "{", '"'}:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _values(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [tuple(_plain(value) for value in row) for row in rows]


def _same(text: str, ours: list[tuple[Any, ...]], theirs: list[tuple[Any, ...]]) -> None:
    assert (text, _values(ours)) == (text, _values(theirs))
    for one, other in zip(ours, theirs, strict=True):
        for left, right in zip(one, other, strict=True):
            moments = {type(left), type(right)} & {dt.date, dt.datetime}
            assert not moments or type(left) is type(right)
            if isinstance(left, Decimal) and isinstance(right, str | Decimal):
                assert isinstance(right, Decimal)


def _definition(mysql: MySQLDatabase, view: str) -> str:
    query = "SELECT view_definition FROM information_schema.views WHERE table_schema = %s AND table_name = %s"
    ((definition,),) = mysql.rows(query, (mysql.database, view))
    return str(definition)


def test_a_generated_column_has_the_same_value(both: tuple[MySQLDatabase, PostgresDatabase]) -> None:
    mysql, postgres = both
    for at, text in enumerate(GENERATED):
        found = translate_expression(text, TYPES, use="generated")
        if "json_unquote" in text or "->>" in text:
            # A document inside is printed by jsonb, with its keys sorted and its numbers in another form.
            assert "text out of JSON" in found.refusal, text
            continue
        assert not found.refusal, (text, found.refusal)
        ((kind,),) = postgres.rows(f"SELECT DISTINCT pg_typeof({found.text}) FROM t")
        kind = {"unknown": "text"}.get(kind, kind)
        postgres.execute(f"ALTER TABLE t ADD COLUMN g{at} {kind} GENERATED ALWAYS AS ({found.text}) STORED")
        expected = mysql.rows(f"SELECT {text} FROM t ORDER BY id")
        _same(text, expected, postgres.rows(f"SELECT g{at} FROM t ORDER BY id"))


def test_an_index_can_be_made_of_it(both: tuple[MySQLDatabase, PostgresDatabase]) -> None:
    _, postgres = both
    for text in [*GENERATED[: GENERATED.index("NULL")], "lower(s)", "upper(t)", "length(s)"]:
        found = translate_expression(text, TYPES, use="index")
        postgres.execute(f"CREATE INDEX ON t (({found.text}))")


def test_a_view_shows_the_same_value(both: tuple[MySQLDatabase, PostgresDatabase]) -> None:
    mysql, postgres = both
    for at, text in enumerate(GENERATED + VIEWED):
        mysql.execute(f"CREATE VIEW v{at} AS SELECT {text} AS x FROM t ORDER BY id")
        found = translate_view(_definition(mysql, f"v{at}"), mysql.database, "public", {"t": "t"}, {"t": TYPES})
        assert not found.refusal, (text, found.refusal)
        postgres.execute(f"CREATE VIEW v{at} AS {found.text}")
        _same(text, mysql.rows(f"SELECT * FROM v{at}"), postgres.rows(f"SELECT * FROM v{at}"))


@pytest.mark.parametrize("text", CHECKS)
def test_a_check_lets_the_same_rows_pass(both: tuple[MySQLDatabase, PostgresDatabase], text: str) -> None:
    mysql, postgres = both
    found = translate_expression(text, TYPES, use="check")
    # The clause, too, as the server prints it.
    mysql.execute(f"CREATE TABLE c ({', '.join(f'{name} {kind}' for name, kind, _ in COLUMNS)}, CHECK ({text}))")
    query = (
        "SELECT check_clause FROM information_schema.check_constraints WHERE constraint_schema = %s AND level = 'Table'"
    )
    ((clause,),) = mysql.rows(query, (mysql.database,))
    assert translate_expression(clause, TYPES, use="check") == found
    expected = mysql.rows(f"SELECT id, ({text}) IS NOT FALSE FROM t ORDER BY id")
    assert _values(postgres.rows(f"SELECT id, ({found.text}) IS NOT FALSE FROM t ORDER BY id")) == expected
    assert {passed for _, passed in expected} == {0, 1}
    postgres.execute(f"ALTER TABLE t ADD CONSTRAINT c CHECK ({found.text}) NOT VALID")


def test_defaults(both: tuple[MySQLDatabase, PostgresDatabase]) -> None:
    _, postgres = both
    for kind, text in [
        ("uuid", "uuid()"), ("varchar(36)", "uuid()"), ("timestamp", "current_timestamp()"),
        ("timestamp(6) with time zone", "now(6)"), ("date", "curdate() + interval 1 day"), ("boolean", "1"),
        ("integer", "(1 + 1)"), ("text", "concat('a', 'b')"), ("jsonb", "NULL"),
        ("jsonb", "json_array()"), ("jsonb", "json_object()"), ("jsonb", "'{\"a\": 1}'"),
        ("date", "'2024-02-29'"), ("numeric(5,2)", "'1.50'"), ('"public"."t_k_enum"', "'mid'"),
    ]:  # fmt: skip
        found = translate_expression(text, {}, use="default", result=kind.replace("varchar", "character varying"))
        postgres.execute(f"DROP TABLE IF EXISTS x; CREATE TABLE x (id integer, x {kind} DEFAULT {found.text})")
        postgres.execute("INSERT INTO x (id) VALUES (1)")


VIEWS = (
    """
SELECT a, s FROM t ORDER BY a;
SELECT t.id, active, n, tm, j, k, u.word FROM t LEFT JOIN u ON u.t_id = t.id ORDER BY t.id, u.id DESC;
SELECT x.id, y.word FROM t x JOIN u y ON y.t_id = x.id AND y.score > 1 WHERE x.active = 1 ORDER BY y.id;
SELECT z.word, x.a, y.id FROM u z RIGHT JOIN (t x JOIN u y ON x.id = y.t_id) ON z.id = y.id ORDER BY y.id;
SELECT t.id a, u.id b FROM t, u WHERE t.id = u.t_id ORDER BY b;
SELECT t.id a, u.id b FROM t CROSS JOIN u ORDER BY a, b LIMIT 3, 4;
SELECT t.id, u.word FROM t JOIN u USING (id) ORDER BY id;
SELECT t_id, count(*) n, count(word) w, count(DISTINCT word) dw, sum(score) s, avg(score) a, min(score) lo,
  max(id) hi FROM u GROUP BY t_id ORDER BY t_id;
SELECT t_id, sum(score > 1) big, sum(liked) liked, sum(ratio) r, avg(ratio) ar, avg(liked) al FROM u GROUP BY
  t_id ORDER BY t_id DESC;
SELECT t_id, round(avg(score), 1) m, sum(score) / count(*) q FROM u GROUP BY t_id HAVING count(*) > 1 ORDER BY
  m, t_id;
SELECT t_id AS x, count(*) AS n FROM u GROUP BY x HAVING n > 1 AND x > 1 ORDER BY n DESC, x;
SELECT year(made) y, month(made) m, count(*) n FROM u GROUP BY year(made), month(made) ORDER BY 1, 2;
SELECT t_id % 2 AS odd, max(word) w FROM u GROUP BY 1 ORDER BY odd;
SELECT count(*) n, sum(score) s, max(made) last FROM u WHERE id > 100;
SELECT t_id, group_concat(word ORDER BY id DESC SEPARATOR '; ') w, group_concat(DISTINCT word) l FROM u GROUP
  BY t_id ORDER BY t_id;
SELECT group_concat(DISTINCT word ORDER BY word DESC) w, group_concat(id, ':', word ORDER BY made, id) x FROM u;
SELECT DISTINCT t_id, liked FROM u ORDER BY liked DESC, t_id;
SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.t_id = t.id AND u.liked) ORDER BY id;
SELECT id FROM t WHERE NOT EXISTS (SELECT * FROM u WHERE u.t_id = t.id) ORDER BY id;
SELECT id FROM t WHERE id IN (SELECT t_id FROM u WHERE score > 1) ORDER BY id DESC;
SELECT id FROM t WHERE id NOT IN (SELECT t_id FROM u WHERE t_id IS NOT NULL) ORDER BY id;
SELECT id, (SELECT max(score) FROM u WHERE u.t_id = t.id) AS best FROM t ORDER BY best, id;
SELECT id, (SELECT word FROM u WHERE u.t_id = t.id ORDER BY made DESC, id LIMIT 1) AS last FROM t ORDER BY id;
SELECT q.t_id, q.n, t.s FROM (SELECT t_id, count(*) n, avg(score) m FROM u GROUP BY t_id) q JOIN t ON t.id =
  q.t_id ORDER BY q.n DESC, t.id;
SELECT id, 'row' AS kind FROM t UNION ALL SELECT id, 'word' FROM u ORDER BY kind DESC, id;
SELECT t_id AS x FROM u UNION SELECT id FROM t ORDER BY x LIMIT 4;
(SELECT id, score FROM u ORDER BY score DESC LIMIT 2) UNION ALL (SELECT id, NULL FROM t ORDER BY id LIMIT 1)
  ORDER BY id;
WITH big AS (SELECT t_id, sum(score) s FROM u GROUP BY t_id) SELECT t.id, big.s FROM t LEFT JOIN big ON big.t_id
  = t.id ORDER BY t.id;
SELECT id, if(active, 'on', 'off') state, ifnull(s, '-') s FROM t WHERE active OR a > 5 ORDER BY state DESC, id;
SELECT id, made FROM u WHERE made >= '2024-01-01' AND made < '2024-02-01' + INTERVAL 1 MONTH ORDER BY made, id;
SELECT id FROM u WHERE made < now() AND date(made) < curdate() ORDER BY id;
SELECT id, a IS NULL AS no_a FROM t ORDER BY no_a DESC, id;
SELECT a.id x, b.id y FROM t a JOIN t b ON a.id < b.id AND a.active <=> b.active ORDER BY x, y;
""".strip()
    .rstrip(";")
    .split(";\n")
)

WORDS = [("id", "int", "integer"), ("t_id", "int", "integer"), ("word", "varchar(20)", "character varying(20)"),
         ("score", "decimal(6,2)", "numeric(6,2)"), ("liked", "tinyint(1)", "boolean"),
         ("ratio", "double", "double precision"),
         ("made", "datetime", "timestamp(0)")]  # fmt: skip
WORD_ROWS = [
    (1, 1, "one", "1.50", 1, 0.5, "2024-01-31 10:00:00"), (2, 1, "two", "0.25", 0, 1.5, "2024-02-01 00:00:00"),
    (3, 2, "three", None, None, None, "2024-02-29 23:59:59"), (4, 3, "one", "7.77", 1, 2.25, "2023-12-31 23:59:59"),
    (5, 3, None, "2.00", 1, -1.0, None), (6, 3, "two", "2.00", 0, 0.0, "2024-01-31 10:00:00"),
    (7, None, "none", "-3.10", 0, 4.0, "2024-03-01 00:00:00"),
]  # fmt: skip


def _words(mysql: MySQLDatabase, postgres: PostgresDatabase) -> dict[str, dict[str, str]]:
    mysql.execute(f"CREATE TABLE u ({', '.join(f'{name} {kind}' for name, kind, _ in WORDS)})")
    postgres.execute(f"CREATE TABLE u ({', '.join(f'{name} {kind}' for name, _, kind in WORDS)})")
    for row in WORD_ROWS:
        mysql.execute("INSERT INTO u VALUES (%s, %s, %s, %s, %s, %s, %s)", row)
        values = [None if value is None else bool(value) if at == 4 else value for at, value in enumerate(row)]
        postgres.execute("INSERT INTO u VALUES (%s, %s, %s, %s, %s, %s, %s)", values)
    return {"t": TYPES, "u": {name: kind for name, _, kind in WORDS}}


def test_views_give_the_same_rows(both: tuple[MySQLDatabase, PostgresDatabase]) -> None:
    mysql, postgres = both
    columns = _words(mysql, postgres)
    tables = {"t": "t", "u": "u"}
    for at, text in enumerate(VIEWS):
        mysql.execute(f"CREATE VIEW v{at} AS {text}")
        found = translate_view(_definition(mysql, f"v{at}"), mysql.database, "public", tables, columns)
        assert not found.refusal, (text, found.refusal)
        postgres.execute(f"CREATE VIEW v{at} AS {found.text}")
        _same(text, mysql.rows(f"SELECT * FROM v{at}"), postgres.rows(f"SELECT * FROM v{at}"))


def test_a_view_of_a_view(both: tuple[MySQLDatabase, PostgresDatabase]) -> None:
    mysql, postgres = both
    columns = _words(mysql, postgres)
    tables = {"t": "t", "u": "u"}
    for name, text in [
        ("v", "SELECT t_id, count(*) n, avg(score) m, max(liked) l, max(made) last FROM u GROUP BY t_id"),
        ("w", "SELECT t_id, n + 1 AS more, m, l = 1 AS liked, year(last) y FROM v WHERE n > 1 ORDER BY t_id"),
    ]:
        mysql.execute(f"CREATE VIEW {name} AS {text}")
        found = translate_view(_definition(mysql, name), mysql.database, "public", tables, columns)
        assert not found.refusal, (text, found.refusal)
        postgres.execute(f"CREATE VIEW {name} AS {found.text}")
        tables, columns = {**tables, name: name}, {**columns, name: found.columns}
    _same("w", mysql.rows("SELECT * FROM w"), postgres.rows("SELECT * FROM w"))
    types = postgres.rows(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = 'v'::regclass AND attnum > 0"
    )
    assert {name: kind.split("(")[0].removesuffix(" without time zone") for name, kind in types} == {
        name: kind.split("(")[0] for name, kind in columns["v"].items()
    }
