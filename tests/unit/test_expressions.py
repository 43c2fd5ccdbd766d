# ruff: noqa: E501 - a case is a line
"""Expressions and views translated, to the string, and what is refused, to the word."""

from __future__ import annotations

import subprocess
import sys

import pytest

from vecferry.mapping.expressions import Translation, Use, translate_expression, translate_view

COLUMNS = {
    "id": "integer", "a": "integer", "b": "bigint", "s": "character varying(80)", "t": "text", "active": "boolean",
    "d": "date", "ts": "timestamp(6)", "ts0": "timestamp(0)", "tz": "timestamp(0) with time zone", "n": "numeric(10,2)",
    "big": "numeric(20)", "j": "jsonb", "k": '"public"."t_k_enum"', "tm": "interval", "r": "real",
    "f": "double precision", "u": "uuid", "x": "bytea", "flags": "text[]", "bits": "bit(8)", "mixedCase": "integer",
}  # fmt: skip


def cases(text: str) -> list[tuple[str, str]]:
    """Lines of `MySQL's words => PostgreSQL's words`, or `=> the refusal`."""
    found = []
    for line in text.strip().split("\n"):
        source, _, expected = line.partition(" => ")
        found.append((source, expected))
    return found


GENERATED = cases(r"""
a + 1 => ("a"::bigint + 1)
b - a => ("b" - "a")
big * 2 => ("big" * 2)
r * 2 => ("r"::double precision * 2)
n * n => ("n" * "n")
-a => (- "a"::bigint)
-5 => (-5)
a / 3 => round(("a"::numeric(65,20) / 3), 4)
n / b => round(("n"::numeric(65,20) / nullif("b", 0)), 6)
f / a => ("f"::double precision / nullif("a", 0))
round(a / b, 2) => round(("a"::numeric(65,20) / nullif("b", 0)), 2)
ifnull(a / b, 0) => coalesce(round(("a"::numeric(65,20) / nullif("b", 0)), 4), 0)
a div b => ("a" / nullif("b", 0))
a % b => ("a" % nullif("b", 0))
mod(a, 3) => ("a" % 3)
a > b => ("a" > "b")::integer
active = 1 => "active"::integer
active = 0 => (NOT "active")::integer
1 = active => "active"::integer
active <> 1 => (NOT "active")::integer
active = true => ("active" = TRUE)::integer
active > 0 => ("active"::integer > 0)::integer
active in (0, 1) => ("active"::integer IN (0, 1))::integer
active in (true, false) => ("active" IN (TRUE, FALSE))::integer
active between 0 and 1 => ("active"::integer BETWEEN 0 AND 1)::integer
a = '7' => ("a" = 7)::integer
'7' < a => (7 < "a")::integer
a <=> b => ("a" IS NOT DISTINCT FROM "b")::integer
a xor b => (("a" <> 0) <> ("b" <> 0))::integer
not a => (NOT ("a" <> 0))::integer
!(a > 1) and b => ((NOT ("a" > 1)) AND ("b" <> 0))::integer
a is null => ("a" IS NULL)::integer
a is not true => (NOT (("a" <> 0) IS TRUE))::integer
isnull(a) => ("a" IS NULL)::integer
a not between 1 and 3 => (NOT ("a" BETWEEN 1 AND 3))::integer
a in (1, 2, NULL) => ("a" IN (1, 2, NULL))::integer
a not in (1) => (NOT ("a" IN (1)))::integer
k = 'low' => ("k" = 'low')::integer
k in ('low','high') => ("k" IN ('low', 'high'))::integer
d > '2020-01-01' => ("d" > date '2020-01-01')::integer
ts < '2020-01-01 10:00:00.5' => ("ts" < timestamp '2020-01-01 10:00:00.5')::integer
tm > '10:00:00' => ("tm" > interval '10:00:00')::integer
ifnull(a, 0) => coalesce("a", 0)
coalesce(s, a, 'x') => coalesce("s", "a"::text, 'x')
coalesce(active, 0) => coalesce("active"::integer, 0)
coalesce(active, false) => coalesce("active", FALSE)
if(active, 1, 0) => CASE WHEN "active" THEN 1 ELSE 0 END
if(a, 'y', 'n') => CASE WHEN ("a" <> 0) THEN 'y' ELSE 'n' END
case when a > 1 then 'big' end => CASE WHEN ("a" > 1) THEN 'big' END
case a when 1 then 'one' else s end => CASE WHEN ("a" = 1) THEN 'one' ELSE "s" END
nullif(a, 0) => CASE WHEN ("a" = 0) THEN NULL ELSE "a" END
greatest(a, b) => CASE WHEN "a" IS NULL OR "b" IS NULL THEN NULL ELSE greatest("a", "b") END
concat(s, ' ', t, n) => ("s" || ' ' || "t" || "n"::text)
concat('a') => 'a'
concat_ws(', ', s, a) => substr(coalesce(', ' || "s", '') || coalesce(', ' || "a"::text, ''), 3)
char_length(s) => char_length("s")
length(x) => octet_length("x")
left(s, 2) => left("s", 2)
left(s, a) => left("s", CASE WHEN "a" < 0 THEN 0 ELSE "a" END)
right(s, 2) => right("s", 2)
substring(s, 2) => substr("s", 2)
substr(s from 2 for 3) => substr("s", 2, 3)
mid(s, 2, 3) => substr("s", 2, 3)
trim(s) => btrim("s", ' ')
ltrim(s) => ltrim("s", ' ')
rtrim(s) => rtrim("s", ' ')
trim(both 'x' from s) => btrim("s", 'x')
trim(leading 'x' from s) => ltrim("s", 'x')
replace(s, 'a', 'it''s') => replace("s", 'a', 'it''s')
hour(ts + interval 1 day) => extract(hour FROM ("ts" + interval '1 day'))::integer
date(ts) + interval 1 day => ("ts"::date + interval '1 day')::date
coalesce(NULL, NULL) => NULL
if(a, NULL, NULL) => NULL
abs(a) => abs("a"::bigint)
round(n) => round("n", 0)
round(n, 1) => round("n", 1)
round(a, 1) => "a"
truncate(n, 1) => trunc("n", 1)
floor(n) => floor("n")
ceiling(n) => ceil("n")
floor(a) => "a"
cast(n as signed) => "n"::bigint
cast(a as unsigned) => CASE WHEN "a" < 0 THEN "a"::numeric + 18446744073709551616 ELSE "a"::numeric END
cast(n as decimal(5,1)) => "n"::numeric(5,1)
cast(a as decimal) => "a"::numeric(10,0)
cast(a as char) => "a"::text
cast(s as char(3) charset utf8mb4) => left("s", 3)
cast(ts as date) => "ts"::date
cast(d as datetime) => "d"::timestamp(0)
cast(a as double) => "a"::double precision
convert(s using utf8mb4) => "s"
date(ts) => "ts"::date
date(d) => "d"
year(d) => extract(year FROM "d")::integer
month(ts) => extract(month FROM "ts")::integer
dayofmonth(d) => extract(day FROM "d")::integer
quarter(d) => extract(quarter FROM "d")::integer
hour(ts) => extract(hour FROM "ts")::integer
second(ts) => floor(extract(second FROM "ts"))::integer
dayofweek(d) => (extract(dow FROM "d")::integer + 1)
weekday(d) => (extract(isodow FROM "d")::integer - 1)
dayofyear(d) => extract(doy FROM "d")::integer
extract(month from d) => extract(month FROM "d")::integer
d + interval 1 day => ("d" + interval '1 day')::date
interval 1 day + d => ("d" + interval '1 day')::date
d + interval 2 hour => ("d" + interval '2 hour')
d - interval 1 quarter => ("d" - interval '3 month')::date
d + interval -1 day => ("d" + interval '-1 day')::date
ts + interval a minute => ("ts" + "a" * interval '1 minute')
date_add(ts, interval 1 week) => ("ts" + interval '1 week')
date_sub(d, interval '2' month) => ("d" - interval '2 month')::date
datediff(ts, d) => ("ts"::date - "d")
to_days(ts) - to_days(d) => ("ts"::date - "d")
timestampdiff(hour, d, ts) => trunc(extract(epoch FROM ("ts" - "d"::timestamp)) / 3600)::bigint
j->'$.a[1]' => (("j" -> 'a') -> 1)
json_extract(j, '$[0]') => CASE WHEN jsonb_typeof("j") = 'array' THEN "j" -> 0 ELSE "j" END
date'2020-01-01' => date '2020-01-01'
timestamp'2020-01-01 10:00:00' => timestamp '2020-01-01 10:00:00'::timestamp(0)
"text" => 'text'
'a' 'b' => ('a' || 'b')
NULL => NULL
true => TRUE::integer
1.50 => 1.50
1e3 => (1e3)::double precision
99999999999999999999 => 99999999999999999999
`MIXEDCASE` => "mixedCase"
""")

REFUSED = cases(r"""
n % 2 => it uses % with something else than integers
floor(f) => it uses a floating point number in FLOOR
ceil(r) => it uses a floating point number in CEIL
replace(s, t, 'x') => it uses a string in REPLACE that is no plain string
replace(s, 'x', NULL) => it uses a string in REPLACE that is no plain string
coalesce(d, '2020-01-01' + interval 1 day) => it mixes a string's date with others
hour(date(ts)) => it uses a date in HOUR
-NULL => it uses NULL as a number in -
a + NULL => it uses NULL as a number in +
a / NULL => it uses NULL as a number in /
active = 5 => it compares a boolean with 5
active in (0, 2) => it compares a boolean with 2
crc32(s) => it uses the function CRC32
reverse(s) => it uses the function REVERSE
octet_length(s) => it uses LENGTH, which counts bytes of the column's character set
length(s) => it uses LENGTH, which counts bytes of the column's character set
lower(s) => it uses LOWER, which follows the target's locale in PostgreSQL
upper(s) => it uses UPPER, which follows the target's locale in PostgreSQL
s = 'x' => it compares text, which follows the column's collation in MySQL
s = t => it compares text, which follows the column's collation in MySQL
s in ('x') => it compares text, which follows the column's collation in MySQL
s like 'x%' => it compares text, which follows the column's collation in MySQL
s regexp 'x' => it uses a regular expression
case s when 'x' then 1 end => it compares text, which follows the column's collation in MySQL
nullif(s, '') => it compares text, which follows the column's collation in MySQL
s between 'a' and 'b' => it compares text, which follows the column's collation in MySQL
s collate utf8mb4_general_ci => it uses the collation utf8mb4_general_ci
s collate utf8mb4_bin => it compares text, which follows the column's collation in MySQL
binary s => it casts to BINARY
k > 'low' => it compares text, which follows the column's collation in MySQL
concat(k) => it uses the text of an enum, which follows the session's settings in PostgreSQL
concat(d) => it uses the text of a date, which follows the session's settings in PostgreSQL
concat(f) => it makes text of a floating point number
concat(j) => it makes text of JSON
json_unquote(json_extract(j, '$.a')) => it takes text out of JSON, which PostgreSQL may print otherwise
j->>'$.a."b c"' => it takes text out of JSON, which PostgreSQL may print otherwise
concat(active) => it makes text of a boolean
concat(u) => it makes text of a UUID
a / 3 * 2 => it computes on with a quotient in *, whose digits MySQL cuts off
a / 3 > 1 => it compares a quotient, which MySQL does with more digits than it shows
floor(a / 3) => it computes on with a quotient in FLOOR, whose digits MySQL cuts off
round(f) => it uses a floating point number in ROUND
round(a, -1) => it uses a number of places in ROUND that is no plain number
round(coalesce(a / b, 0), 1) => it computes on with a quotient in ROUND, whose digits MySQL cuts off
s + 1 => it uses text as a number in +
'1' + 1 => it uses a string as a number in +
d + 1 => it uses a date as a number in +
j + 1 => it uses JSON as a number in +
a = 'x' => it compares a number with a string
a = s => it compares a number with text
s = 5 => it compares text with a number
d = 5 => it compares a date with a number
j = 1 => it compares JSON with a number
u = 'x' => it compares a UUID with a string
bits = 1 => it compares a value of type bit(8) with a number
flags = 'x' => it compares a value of type text[] with a string
d > 'yesterday' => it uses the string 'yesterday' as a date
d > '2020-02-30' => it uses the date '2020-02-30', which does not exist in PostgreSQL
ts > '2020-1-1' => it uses the string '2020-1-1' as a date
tm > '10:00' => it uses the string '10:00' as a time
if(s, 1, 2) => it uses text as a condition
coalesce(d, 'x') => it mixes a date and a string
coalesce(j, 'x') => it mixes JSON and a string
left(s, b) => it uses a number as the length of LEFT
substring(s, -1) => it uses a start of SUBSTRING that is no plain number
substring(s, 0) => it uses SUBSTRING from 0
substring(s, a) => it uses a start of SUBSTRING that is no plain number
trim(both 'xy' from s) => it trims more than one character
hour(d) => it uses a date in HOUR
hour(tm) => it uses a time in HOUR
year(s) => it uses text in YEAR
date(tz) => it uses a timestamp with time zone, which follows the session's settings in PostgreSQL
tz > '2020-01-01' => it uses a timestamp with time zone, which follows the session's settings in PostgreSQL
tz = ts => it uses a timestamp with time zone, which follows the session's settings in PostgreSQL
concat(tz) => it uses the text of a date and time, which follows the session's settings in PostgreSQL
tz + interval 1 day => it uses a timestamp with time zone, which follows the session's settings in PostgreSQL
now() => it uses the current time, which a generated column cannot
curdate() => it uses the current date, which a generated column cannot
uuid() => it uses UUID, which a generated column cannot
rand() => it uses the function RAND
@a => it uses a user variable
@@version => it uses a system variable
? => it uses a parameter
a & 1 => it uses a & 1
a << 1 => it uses a << 1
~a => it uses ~a
0x41 => it uses a hexadecimal value
b'1' => it uses a bit value
_latin1'x' => it uses a string with a character set of its own
N'x' => it uses a national string
(a, b) = (1, 2) => it uses a row of values
a = b < 1 => it has comparisons of comparisons without parentheses
a like b = c => it has comparisons of comparisons without parentheses
a = (select 1) => it uses a subquery
exists (select 1) => it uses a subquery
a in (select 1) => it uses a subquery
sum(a) over () => it uses an aggregate
json_valid(j) => it uses the function JSON_VALID
json_extract(s, '$.a') => it takes a part of text as of JSON
json_extract(j, '$.*') => it uses a JSON path that is more than names and numbers
json_extract(j, s) => it uses a JSON path that is no plain string
json_unquote(j) => it uses JSON_UNQUOTE on something else than JSON_EXTRACT
json_value(j, '$.a') => it uses the function JSON_VALUE
json_object('a', a) => it uses the function JSON_OBJECT
cast(s as signed) => it uses text as a number in CAST
cast(j as char) => it makes text of JSON
cast(f as decimal(5,2)) => it casts a floating point number to DECIMAL
cast(ts as datetime) => it casts to DATETIME with fewer digits, which MySQL rounds and MariaDB cuts off
cast(a as time) => it casts to TIME
cast(a as json) => it casts to JSON
cast('2020' as date) => it uses the string '2020' as a date
d + interval '1:30' hour_minute => it uses an interval of HOUR_MINUTE
d + interval 1.5 day => it uses an interval that is no whole number
timestampdiff(month, d, ts) => it uses TIMESTAMPDIFF of MONTH
date_format(d, '%Y') => it uses the function DATE_FORMAT
str_to_date(s, '%Y') => it uses the function STR_TO_DATE
group_concat(s) => it uses an aggregate
f % 2 => it uses % with something else than integers
f div 2 => it uses DIV with something else than integers
n div 2 => it uses DIV with something else than integers
greatest(a, NULL) => it uses GREATEST with something else than numbers or dates
least(s, t) => it uses LEAST with something else than numbers or dates
cast(n as unsigned) => it casts a number to an unsigned integer
'a\0b' => it has a string with an unusual escape sequence
'a\zb' => it has a string with an unusual escape sequence
a -- comment => it has --, which is not read
a /*!50000 + 1 */ => it has /*, which is not read
a # comment => it has #, which is not read
a, b => it is not read as one expression
a as b => it is not read as one expression
a from t => it is not read as one expression
count(a) => it uses an aggregate
a + => it is not understood
nosuch => it uses the column nosuch, which is not known
other.t.a => it uses the column a, which is not known
* => it uses an asterisk
now() + interval 1 day => it uses the current time, which a generated column cannot
default(a) => it is not read as one expression
values(a) => it uses the function VALUES
a := 1 => it uses a := 1
interval(a, 1) => it uses INTERVAL ((a, 1))
convert(s using latin1) => it casts to CHAR CHARACTER SET latin1
""")

CHECKS = cases(r"""
`s` in (_utf8mb4\'a\',_utf8mb4\'it\\\'s\') => ("s" IN ('a', 'it''s'))
(`a` > 0) and (`s` <> _utf8mb4\'\') => (("a" > 0) AND ("s" <> ''))
s like 'a\_b%' => ("s" LIKE E'a\\_b%')
s not like 'a|%' escape '|' => ("s" NOT LIKE 'a|%' ESCAPE '|')
s like 'a\\\\b' => ("s" LIKE E'a\\\\b')
s between 'a' and 'b' => ("s" BETWEEN 'a' AND 'b')
length(s) > 2 => (octet_length("s") > 2)
lower(s) = s => (lower("s") = "s")
s regexp '^[a-z0-9._-]+@[a-z.-]+[.][a-z]{2,}$' => ("s" ~ '^[a-z0-9._-]+@[a-z.-]+[.][a-z]{2,}$')
k > 'low' => ("k"::text > 'low')
tz > '2020-01-01' => ("tz"::timestamp > date '2020-01-01')
concat(d) <> '' => (to_char("d", 'YYYY-MM-DD') <> '')
active => "active"
a => ("a" <> 0)
1 => TRUE
0 => FALSE
""")

CHECKS_REFUSED = cases(r"""
s regexp '.*' => it uses a regular expression that PostgreSQL may read otherwise
s regexp '\\d' => it uses a regular expression that PostgreSQL may read otherwise
s regexp '(?i)x' => it uses a regular expression that PostgreSQL may read otherwise
s regexp 'a*?' => it uses a regular expression that PostgreSQL may read otherwise
s like t => it uses a pattern of LIKE that is no plain string
s like 'a\\' => it uses a pattern of LIKE that ends in the middle of an escape
s like 'a' escape '' => it uses an ESCAPE that is not one character
s => it uses text as a condition
now() > ts => it uses the current time, which a check cannot
json_valid(s) => it uses the function JSON_VALID
s collate utf8mb4_general_ci = 'x' => it uses the collation utf8mb4_general_ci
u = 'x' => it compares a UUID with a string
""")

DEFAULTS = cases(r"""
uuid() => gen_random_uuid()
(uuid()) => gen_random_uuid()
current_timestamp() => CURRENT_TIMESTAMP
current_timestamp(6) => CURRENT_TIMESTAMP(6)
now() => CURRENT_TIMESTAMP
curdate() => CURRENT_DATE
curdate() + interval 1 day => (CURRENT_DATE + interval '1 day')::date
now() + interval 1 hour => (CURRENT_TIMESTAMP::timestamp + interval '1 hour')
concat('a', 'b') => ('a' || 'b')
lower('A') => lower('A')
json_array() => '[]'::jsonb
json_object() => '{}'::jsonb
""")

DEFAULTS_REFUSED = cases(r"""
a => it uses another column, which a default cannot
json_array(1) => it uses the function JSON_ARRAY
rand() => it uses the function RAND
utc_timestamp() => it uses the function UTC_TIMESTAMP
""")

INDEXES = cases(r"""
lower(s) => lower("s")
length(s) => octet_length("s")
cast(json_unquote(json_extract(`j`,_utf8mb4\'$.x\')) as char(30) charset utf8mb4) => left(CASE WHEN jsonb_typeof(("j" -> 'x')) = 'null' THEN 'null' ELSE ("j" -> 'x') #>> '{}' END, 30)
(a + 1) => ("a"::bigint + 1)
""")

RESULTS = [
    ("a > b", "boolean", '("a" > "b")', ""),
    ("a > b", "integer", '("a" > "b")::integer', ""),
    ("active", "integer", '"active"::integer', ""),
    ("1", "boolean", "TRUE", ""),
    ("n", "integer", '"n"', ""),
    ("a", "character varying(9)", '"a"::text', ""),
    ("k", "text", "", "it uses the text of an enum, which follows the session's settings in PostgreSQL"),
    ("d", "timestamp(0)", '"d"', ""),
    ("ts0", "timestamp(6)", '"ts0"', ""),
    ("'low'", '"public"."t_k_enum"', "'low'", ""),
    ("'[1]'", "jsonb", "'[1]'::jsonb", ""),
    ("'2020-01-01'", "date", "date '2020-01-01'", ""),
    ("'5'", "integer", "5", ""),
    ("a / b", "numeric(10,2)", 'round(("a"::numeric(65,20) / nullif("b", 0)), 4)', ""),
    ("j", "jsonb", '"j"', ""),
    ("NULL", "integer", "NULL", ""),
    ("a", "boolean", "", "it stores a number in a column of type boolean"),
    ("f", "integer", "", "it stores a floating point number in a column of type integer"),
    ("s", "integer", "", "it stores text in a column of type integer"),
    ("ts", "timestamp(0)", "", "it stores more digits of a second than the column has"),
    ("d", "text", "", "it uses the text of a date, which follows the session's settings in PostgreSQL"),
    ("'x'", "jsonb", "", "it stores a string that is no JSON"),
    ("'x'", "date", "", "it uses the string 'x' as a date"),
    ("'2020-01-01 10:00:00'", "date", "", "it stores a date and time in a date"),
    ("'x'", "integer", "", "it stores the string 'x' in a column of type integer"),
    ("flags", "text[]", "", "it stores a value of type text[] in a column of type text[]"),
    ("ts", "date", "", "it stores a date and time in a column of type date"),
    (
        "tz",
        "timestamp(0)",
        "",
        "it uses a timestamp with time zone, which follows the session's settings in PostgreSQL",
    ),
    ("s", '"public"."t_k_enum"', "", 'it stores text in a column of type "public"."t_k_enum"'),
]

TABLES = {"t": "t", "u": "u2"}
TYPES = {
    "t": {
        "id": "integer", "a": "integer", "s": "text", "active": "boolean", "n": "numeric(10,2)", "k": '"public"."k_enum"',
        "j": "jsonb", "made": "timestamp(0)",
    },
    "u": {"id": "integer", "t_id": "integer", "word": "character varying(20)", "score": "numeric(6,2)"},
}  # fmt: skip

VIEWS = cases(r"""
select `db`.`t`.`id` AS `id`,`db`.`t`.`s` AS `Label` from `db`.`t` => SELECT "t"."id" AS "id", "t"."s" AS "Label" FROM "public"."t"
select `x`.`id` AS `id` from (`db`.`t` `x` left join `db`.`u` on(`db`.`u`.`t_id` = `x`.`id` and `db`.`u`.`score` > 1)) where `x`.`active` = 1 => SELECT "x"."id" AS "id" FROM ("public"."t" AS "x" LEFT JOIN "public"."u2" AS "u" ON (("u"."t_id" = "x"."id") AND ("u"."score" > 1))) WHERE "x"."active"
select `t`.`id` AS `id` from `db`.`t` join `db`.`u` join `db`.`t` `y` on(1) => SELECT "t"."id" AS "id" FROM "public"."t" CROSS JOIN "public"."u2" AS "u" JOIN "public"."t" AS "y" ON TRUE
select `db`.`u`.`t_id` AS `t_id`,count(0) AS `n`,sum(`db`.`u`.`score`) AS `s`,avg(`db`.`u`.`score`) AS `a` from `db`.`u` group by `db`.`u`.`t_id` having `n` > 1 order by count(0) desc limit 3,7 => SELECT "u"."t_id" AS "t_id", count(*) AS "n", sum("u"."score") AS "s", round(avg("u"."score"), 6) AS "a" FROM "public"."u2" AS "u" GROUP BY "u"."t_id" HAVING (count(*) > 1) ORDER BY "n" DESC NULLS LAST LIMIT 7 OFFSET 3
select group_concat(distinct `db`.`u`.`word` order by `db`.`u`.`word` DESC separator '; ') AS `w` from `db`.`u` => SELECT string_agg(DISTINCT "u"."word", '; ' ORDER BY "u"."word" DESC NULLS LAST) AS "w" FROM "public"."u2" AS "u"
select `db`.`t`.`id` AS `id` from `db`.`t` where exists(select 1 from `db`.`u` where `db`.`u`.`t_id` = `db`.`t`.`id` limit 1) and `db`.`t`.`id` in (select `db`.`u`.`t_id` from `db`.`u`) => SELECT "t"."id" AS "id" FROM "public"."t" WHERE ((EXISTS (SELECT 1 FROM "public"."u2" AS "u" WHERE ("u"."t_id" = "t"."id") LIMIT 1)) AND ("t"."id" IN (SELECT "u"."t_id" AS "t_id" FROM "public"."u2" AS "u")))
select (select max(`db`.`u`.`score`) from `db`.`u` where `db`.`u`.`t_id` = `db`.`t`.`id`) AS `best` from `db`.`t` => SELECT (SELECT max("u"."score") FROM "public"."u2" AS "u" WHERE ("u"."t_id" = "t"."id")) AS "best" FROM "public"."t"
select `q`.`n` AS `n` from (select count(0) AS `n` from `db`.`t`) `q` => SELECT "q"."n" AS "n" FROM (SELECT count(*) AS "n" FROM "public"."t") AS "q"
select `db`.`t`.`id` AS `x` from `db`.`t` union all select NULL AS `NULL` from `db`.`u` union select 1 AS `1` order by `x` desc limit 2 => ((SELECT "t"."id" AS "x" FROM "public"."t") UNION ALL (SELECT NULL AS "NULL" FROM "public"."u2" AS "u")) UNION (SELECT 1 AS "1") ORDER BY "x" DESC NULLS LAST LIMIT 2
with c as (select `db`.`t`.`a` AS `a` from `db`.`t`)select `c`.`a` AS `a` from `c` => WITH "c" AS (SELECT "t"."a" AS "a" FROM "public"."t") SELECT "c"."a" AS "a" FROM "c"
select distinct `db`.`t`.`a` AS `a` from `db`.`t` order by `db`.`t`.`a` desc => SELECT DISTINCT "t"."a" AS "a" FROM "public"."t" ORDER BY "a" DESC NULLS LAST
select `db`.`t`.`a` > 1 AS `big`,current_timestamp() AS `now`,curdate() AS `today` from `db`.`t` => SELECT ("t"."a" > 1)::integer AS "big", date_trunc('second', LOCALTIMESTAMP) AS "now", CURRENT_DATE AS "today" FROM "public"."t"
""")

VIEWS_REFUSED = cases(r"""
select `db`.`z`.`id` AS `id` from `db`.`z` => it reads z, which is not carried
select `other`.`t`.`id` AS `id` from `other`.`t` => it reads other.t, which is not carried
select `db`.`t`.`nosuch` AS `x` from `db`.`t` => it uses the column t.nosuch, which is not known
select `db`.`t`.`a` AS `a`,count(0) AS `n` from `db`.`t` => it selects a, which it does not group by
select `db`.`t`.`s` AS `s`,count(0) AS `n` from `db`.`t` group by `db`.`t`.`a` => it selects s, which it does not group by
select `db`.`t`.`a` AS `a`,(select 1) AS `x`,count(0) AS `n` from `db`.`t` group by `db`.`t`.`a` => it uses a subquery beside aggregates
select `db`.`t`.`a` AS `a`,count(0) AS `n` from `db`.`t` group by `db`.`t`.`a` with rollup => it uses GROUP BY ... WITH ROLLUP
select `db`.`t`.`a` AS `a`,count(0) AS `n` from `db`.`t` group by `db`.`t`.`a` order by `db`.`t`.`s` => it selects s, which it does not group by
select straight_join `db`.`t`.`a` AS `a` from `db`.`t` => it uses a modifier of SELECT
select /*+ NO_MERGE(t) */ `db`.`t`.`a` AS `a` from `db`.`t` => it has /*, which is not read
select `db`.`t`.`a` AS `a` from `db`.`t` for update => it uses FOR UPDATE
select `db`.`t`.`a` AS `a` from `db`.`t` use index (`i`) => it reads `db`.`t` USE INDEX (`i`)
select `db`.`t`.`a` AS `a` from `db`.`t` partition (`p0`) => it reads `db`.`t` PARTITION(`p0`)
select `db`.`t`.`a` AS `a` from `db`.`t` natural join `db`.`u` => it uses NATURAL JOIN `db`.`u`
select `db`.`t`.`a` AS `a` from `db`.`t` join `db`.`u` using (`id`) => it uses JOIN `db`.`u` USING (`id`)
select `id` AS `id` from `db`.`t` join `db`.`u` on(1) => it uses the column id of more than one table
select `db`.`t`.* from `db`.`t` => it uses an asterisk
select count(0) from `db`.`t` => it has a column without a name
select row_number() over (order by `db`.`t`.`a`) AS `r` from `db`.`t` => it uses a window function
select @x AS `x` from `db`.`t` => it uses a user variable
select `db`.`t`.`a` AS `a` from `db`.`t` where `db`.`t`.`s` regexp 'x' => it uses a regular expression
select avg(`db`.`t`.`a`) AS `a` from `db`.`t` having avg(`db`.`t`.`a`) > 1 => it compares a quotient, which MySQL does with more digits than it shows
select `q`.`m` * 2 AS `m` from (select avg(`db`.`t`.`a`) AS `m` from `db`.`t`) `q` => it computes on with a quotient in *, whose digits MySQL cuts off
select `db`.`t`.`id` AS `x` from `db`.`t` union select `db`.`t`.`s` AS `s` from `db`.`t` => it is a UNION of a number and text
select 1 AS `x`,2 AS `y` union select 1 AS `x` => it is a UNION of different numbers of columns
select distinct `db`.`t`.`a` AS `a` from `db`.`t` order by `db`.`t`.`s` => it sorts distinct rows by what it does not select
select max(`db`.`t`.`j`) AS `x` from `db`.`t` => it uses JSON in MAX
select count(distinct `db`.`t`.`a`,`db`.`t`.`s`) AS `x` from `db`.`t` => it counts distinct rows of several values
select group_concat(distinct `db`.`t`.`s` order by `db`.`t`.`a`) AS `x` from `db`.`t` => it sorts GROUP_CONCAT(DISTINCT ...) by something else than its text
with recursive c as (select 1 AS `a` union all select `c`.`a` + 1 AS `a` from `c`) select `c`.`a` AS `a` from `c` => it uses WITH RECURSIVE
select 1 AS `x` from `db`.`t` right join `db`.`u` on(1) join `db`.`t` `y` semi join (`db`.`u` `z`) => it uses SEMI JOIN (`db`.`u` AS `z`)
select `db`.`t`.`a` AS `a` from `db`.`t` limit @n => it uses a LIMIT that is no plain number
select 1 AS `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` => its column aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa has a longer name than PostgreSQL keeps
insert into `db`.`t` values (1) => it is no SELECT
select `db`.`t`.`a` AS `a` from `db`.`t`; drop table `db`.`t` => it is not one statement
select `db`.`t`.`a` AS `a` into outfile 'x' from `db`.`t` => it is not understood
select `db`.`t`.`a` AS `a` from `db`.`t` procedure analyse() => it is not understood
select sleep(1) AS `a` from `db`.`t` => it uses the function SLEEP
select `db`.`t`.`a` AS `a` from `db`.`t`, lateral (select 1 AS `x`) `l` => it reads from LATERAL (SELECT 1 AS `x`) AS `l`
select `db`.`t`.`id` AS `id` from `db`.`t` where count(0) > 1 => it uses an aggregate in WHERE
select `j`.`x` AS `x` from json_table('[]','$[*]' columns (`x` int path '$')) `j` => it reads JSON_TABLE('[]', '$[*]' COLUMNS(`x` INT PATH '$')) AS `j`
table `db`.`t` => it has a column without a name
values row(1) => it is no SELECT
select `db`.`t`.`a` AS `a` from `db`.`t` except select 1 AS `a` => it is no SELECT
""")

WITHOUT_TYPES = cases(r"""
select `db`.`t`.`a` AS `a` from `db`.`t` where `db`.`t`.`s` = 'open' and `db`.`t`.`a` > 5 and `db`.`t`.`id` = `db`.`t`.`a` => SELECT "t"."a" AS "a" FROM "public"."t" WHERE ((("t"."s" = 'open') AND ("t"."a" > 5)) AND ("t"."id" = "t"."a"))
""")

WITHOUT_TYPES_REFUSED = cases(r"""
select concat(`db`.`t`.`a`) AS `a` from `db`.`t` => it makes text of a value whose type is not known
select `db`.`t`.`a` + 1 AS `a` from `db`.`t` => it uses a value whose type is not known as a number in +
select `db`.`t`.`a` AS `a` from `db`.`t` where `db`.`t`.`made` > '2020-01-01' => it compares a value whose type is not known with a string
select `db`.`t`.`a` AS `a` from `db`.`t` where `db`.`t`.`k` > 'low' => it compares a value whose type is not known with a string
select max(`db`.`t`.`k`) AS `a` from `db`.`t` => it uses a value whose type is not known in MAX
select `db`.`t`.`a` AS `a` from `db`.`t` where `db`.`t`.`active` => it uses a value whose type is not known as a condition
""")


def expression(text: str, use: Use, result: str = "") -> Translation:
    return translate_expression(text, COLUMNS, use=use, result=result)


def view(text: str) -> Translation:
    return translate_view(text, "db", "public", TABLES, TYPES)


@pytest.mark.parametrize(("text", "expected"), GENERATED)
def test_generated(text: str, expected: str) -> None:
    assert expression(text, "generated") == Translation(expected)


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_generated_refused(text: str, reason: str) -> None:
    assert expression(text, "generated") == Translation("", reason)


@pytest.mark.parametrize(("text", "expected"), CHECKS)
def test_check(text: str, expected: str) -> None:
    assert expression(text, "check") == Translation(expected)


@pytest.mark.parametrize(("text", "reason"), CHECKS_REFUSED)
def test_check_refused(text: str, reason: str) -> None:
    assert expression(text, "check") == Translation("", reason)


@pytest.mark.parametrize(("text", "expected"), DEFAULTS)
def test_default(text: str, expected: str) -> None:
    assert expression(text, "default") == Translation(expected)


@pytest.mark.parametrize(("text", "reason"), DEFAULTS_REFUSED)
def test_default_refused(text: str, reason: str) -> None:
    assert expression(text, "default") == Translation("", reason)


@pytest.mark.parametrize(("text", "expected"), INDEXES)
def test_index(text: str, expected: str) -> None:
    assert expression(text, "index") == Translation(expected)


@pytest.mark.parametrize(("text", "result", "expected", "reason"), RESULTS)
def test_the_value_fits_its_column(text: str, result: str, expected: str, reason: str) -> None:
    assert expression(text, "generated", result) == Translation(expected, reason)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'a\\\\b\\'c\\n'", "E'a\\\\b''c\n'"),
        ("concat(_utf8mb4\\'it\\\\\\'s\\', `s`)", "('it''s' || \"s\")"),
        ("concat(_utf8mb4'x' , `s`)", "('x' || \"s\")"),
        ("concat('_utf8mb4', `s`)", "('_utf8mb4' || \"s\")"),
        ("concat('-- # /*', s)", "('-- # /*' || \"s\")"),
    ],
)
def test_strings(text: str, expected: str) -> None:
    assert expression(text, "generated") == Translation(expected)


def test_nothing_is_no_expression() -> None:
    assert expression("", "check").refusal == "it is not read as one expression"
    assert view("").refusal == "it is not one statement"


def test_very_deep_nesting_is_refused() -> None:
    assert expression("(" * 5000 + "a" + ")" * 5000, "generated") == Translation("", "it is not understood")
    assert expression(" + ".join(["a"] * 20000), "generated") == Translation("", "it is not understood")


@pytest.mark.parametrize(("text", "expected"), VIEWS)
def test_view(text: str, expected: str) -> None:
    assert (view(text).text, view(text).refusal) == (expected, "")


@pytest.mark.parametrize(("text", "reason"), VIEWS_REFUSED)
def test_view_refused(text: str, reason: str) -> None:
    assert view(text) == Translation("", reason)


@pytest.mark.parametrize(("text", "expected"), WITHOUT_TYPES)
def test_view_without_types(text: str, expected: str) -> None:
    assert translate_view(text, "db", "public", TABLES).text == expected


@pytest.mark.parametrize(("text", "reason"), WITHOUT_TYPES_REFUSED)
def test_view_without_types_refused(text: str, reason: str) -> None:
    assert translate_view(text, "db", "public", TABLES) == Translation("", reason)


def test_a_view_says_its_columns() -> None:
    found = view(
        "select `db`.`t`.`id` AS `id`,`db`.`t`.`a` > 1 AS `c`,`db`.`t`.`a` + 1 AS `i`,`db`.`t`.`n` * 2 AS `n`,"
        "`db`.`t`.`a` / 2 AS `q`,`db`.`t`.`active` AS `active`,`db`.`t`.`k` AS `k`,`db`.`t`.`made` AS `m`,"
        "concat(`db`.`t`.`s`) AS `s`,NULL AS `z` from `db`.`t`"
    )
    assert found.columns == {
        "id": "integer", "c": "integer", "i": "bigint", "n": "numeric(65,2)", "q": "numeric", "active": "boolean",
        "k": '"public"."k_enum"', "m": "timestamp(0)", "s": "text", "z": "text",
    }  # fmt: skip


def test_names_are_quoted() -> None:
    tables, types = {'we"ird': 'we"ird'}, {'we"ird': {'col"umn': "integer"}}
    found = translate_view('select `we"ird`.`col"umn` AS `a"b` from `d`.`we"ird`', "d", 's"1', tables, types)
    assert found.text == 'SELECT "we""ird"."col""umn" AS "a""b" FROM "s""1"."we""ird"'


def test_sqlglot_is_imported_when_it_is_needed() -> None:
    script = "import sys, vecferry.mapping.expressions; sys.exit('sqlglot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
