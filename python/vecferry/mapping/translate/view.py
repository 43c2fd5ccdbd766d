"""A view's query: its tables, joins, groups and order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from vecferry.mapping.identifiers import MAX_NAME_BYTES, qualified, quote, shorten
from vecferry.mapping.translate import parse
from vecferry.mapping.translate.aggregates import sort_key
from vecferry.mapping.translate.expression import RULES
from vecferry.mapping.translate.rules import Translator, number_of, shown
from vecferry.mapping.translate.terms import RefusedError, Term, described, of_type, type_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

assert RULES  # noqa: S101 - the import is what counts
_SELECT = frozenset(
    {"expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset", "distinct", "with_"}
)
_UNION = frozenset({"this", "expression", "distinct", "order", "limit", "offset", "with_"})


@dataclass(frozen=True, slots=True)
class Item:
    """A column that a query gives."""

    name: str
    """Empty where it has none."""
    node: exp.Expression
    term: Term


@dataclass(frozen=True, slots=True)
class Source:
    """What a query reads under one name."""

    columns: Mapping[str, Term] | None
    """By lower-case name; None where they are not known."""


def translate(
    definition: str,
    database: str,
    schema: str,
    tables: Mapping[str, str],
    columns: Mapping[str, Mapping[str, str]],
    labels: Mapping[str, Sequence[str]] | None = None,
) -> tuple[str, dict[str, str]]:
    """Returns a view's query and its columns' types; see `translate_view`.

    Raises:
        RefusedError: it is not known to mean the same.
    """
    text, items = Query(database, schema, tables, columns, labels or {}).whole(
        parse.query(definition), {}, outermost=True
    )
    return text, {item.name: type_of(item.term) for item in items}


class Query:
    """Translates queries; one `Scope` for each."""

    def __init__(
        self,
        database: str,
        schema: str,
        tables: Mapping[str, str],
        columns: Mapping[str, Mapping[str, str]],
        labels: Mapping[str, Sequence[str]],
    ) -> None:
        self.labels = labels
        self.database = database
        self.schema = schema
        self.tables = tables
        self.columns = columns

    def whole(
        self,
        node: exp.Expression,
        ctes: Mapping[str, Source],
        outer: Scope | None = None,
        *,
        outermost: bool = False,
        exists: bool = False,
    ) -> tuple[str, list[Item]]:
        """Returns the text and the columns of a query.

        Args:
            node: the query.
            ctes: the names that WITH gave around it.
            outer: what it may read of the query around it.
            outermost: whether its values are the view's own.
            exists: whether nobody reads its columns.
        """
        if isinstance(node, exp.Subquery) and _only(node, {"this"}):
            return self.whole(node.this, ctes, outer, outermost=outermost, exists=exists)
        if isinstance(node, exp.Union):
            return self._union(node, ctes, outer, outermost=outermost)
        if not isinstance(node, exp.Select):
            raise RefusedError("it is no SELECT")
        _refuse_others(node, _SELECT)
        prefix, ctes = self._with(node, ctes)
        scope = Scope(self, ctes, outer)
        text, items = scope.select(node, outermost=outermost, exists=exists)
        return prefix + text, items

    def _with(self, node: exp.Expression, ctes: Mapping[str, Source]) -> tuple[str, dict[str, Source]]:
        known = dict(ctes)
        with_ = node.args.get("with_")
        if with_ is None:
            return "", known
        if not _only(with_, {"expressions"}):
            raise RefusedError("it uses WITH RECURSIVE")
        parts = []
        for cte in with_.expressions:
            alias = cte.args["alias"]
            if not _only(cte, {"this", "alias"}) or not _only(alias, {"this"}):
                raise RefusedError("it uses WITH with names of columns")
            text, items = self.whole(cte.this, known)
            known[alias.name] = _as_source(alias.name, items)
            parts.append(f"{quote(alias.name)} AS ({text})")
        return f"WITH {', '.join(parts)} ", known

    def _union(
        self, node: exp.Union, ctes: Mapping[str, Source], outer: Scope | None, *, outermost: bool
    ) -> tuple[str, list[Item]]:
        _refuse_others(node, _UNION)
        prefix, ctes = self._with(node, ctes)
        left, items = self.whole(node.this, ctes, outer, outermost=outermost)
        right, others = self.whole(node.expression, ctes, outer, outermost=outermost)
        if len(items) != len(others):
            raise RefusedError("it is a UNION of different numbers of columns")
        merged = [replace(one, term=_merged(one.term, other.term)) for one, other in zip(items, others, strict=True)]
        text = f"({left}) {'UNION' if node.args.get('distinct') else 'UNION ALL'} ({right})"
        order = node.args.get("order")
        if order is not None:
            text += " ORDER BY " + ", ".join(_union_key(key, merged) for key in order.expressions)
        return prefix + text + _limit(node), merged

    def table(self, node: exp.Table, ctes: Mapping[str, Source]) -> tuple[str, str, Source]:
        """Returns a table's text, the name that it is read by, and its columns."""
        if not _only(node, {"this", "db", "alias", "joins"}) or not isinstance(node.this, exp.Identifier):
            raise RefusedError(f"it reads {node.sql(dialect='mysql')}")
        alias = node.args.get("alias")
        if alias is not None and not _only(alias, {"this"}):
            raise RefusedError("it gives a table's columns other names")
        name = node.name
        shown_name = alias.name if alias is not None else name
        database = node.text("db")
        if not database and name in ctes:
            source = ctes[name]
            text = quote(name)
            target = name
        else:
            if (database and database != self.database) or name not in self.tables:
                place = f"{database}.{name}" if database and database != self.database else name
                raise RefusedError(f"it reads {place}, which is not carried")
            target = self.tables[name]
            text = qualified(self.schema, target)
            known = self.columns.get(name)
            source = Source(
                None
                if known is None
                else {column.lower(): of_type(quote(shorten(column)), kind) for column, kind in known.items()}
            )
        return text if shown_name == target else f"{text} AS {quote(shown_name)}", shown_name, source


class Scope:
    """One SELECT: what it reads, and what its names mean."""

    def __init__(self, query: Query, ctes: Mapping[str, Source], outer: Scope | None) -> None:
        self.query = query
        self.ctes = ctes
        self.outer = outer
        self.sources: dict[str, Source] = {}
        self.items: list[Item] = []
        self.translator = Translator("view", self.column, self.subquery, query.labels)

    # --- names -----------------------------------------------------------------------------------

    def column(self, node: exp.Column) -> Term:
        """Returns the term of a column, of this query's tables or of those around it."""
        database, table = node.text("db"), node.text("table")
        if database and database != self.query.database:
            raise RefusedError(f"it reads {database}.{table}, which is not carried")
        scope: Scope | None = self
        while scope is not None:
            found = scope.find(table, node.name)
            if found is not None:
                return found
            scope = scope.outer
        raise RefusedError(f"it uses the column {table + '.' if table else ''}{node.name}, which is not known")

    def find(self, table: str, name: str) -> Term | None:
        """Returns the term of a column of this query's tables; None where it has none."""
        candidates = [table] if table in self.sources else [] if table else list(self.sources)
        if len(candidates) > 1 and any(self.sources[candidate].columns is None for candidate in candidates):
            raise RefusedError(f"it uses the column {name} without its table")
        found = []
        for candidate in candidates:
            columns = self.sources[candidate].columns
            if columns is None:
                found.append(Term(f"{quote(candidate)}.{quote(name)}", "unknown"))
            elif name.lower() in columns:
                term = columns[name.lower()]
                found.append(replace(term, text=f"{quote(candidate)}.{term.text}"))
        if len(found) > 1:
            raise RefusedError(f"it uses the column {name} of more than one table")
        return found[0] if found else None

    def subquery(self, node: exp.Expression, exists: bool) -> tuple[str, list[Term]]:
        """Returns the text and columns of a query inside of an expression."""
        text, items = self.query.whole(node, self.ctes, self, exists=exists)
        return text, [item.term for item in items]

    def alias(self, node: exp.Expression) -> Item | None:
        """Returns the selected column that a bare name or a number stands for."""
        if isinstance(node, exp.Column) and not node.text("table"):
            return next((item for item in self.items if item.name.lower() == node.name.lower()), None)
        if isinstance(node, exp.Literal) and not node.is_string and node.this.isdigit():
            place = int(node.this)
            if 1 <= place <= len(self.items):
                return self.items[place - 1]
        return None

    # --- clauses ---------------------------------------------------------------------------------

    def select(self, node: exp.Select, *, outermost: bool, exists: bool) -> tuple[str, list[Item]]:
        """Returns the text and the columns of a SELECT."""
        read = self._from(node)
        where = node.args.get("where")
        if where is not None:
            if where.find(exp.AggFunc) is not None and any(
                found.find_ancestor(exp.Select) is node for found in where.find_all(exp.AggFunc)
            ):
                raise RefusedError("it uses an aggregate in WHERE")
            read += f" WHERE {self.translator.condition(where.this)}"
        distinct = node.args.get("distinct")
        if distinct is not None and not _only(distinct, set()):
            raise RefusedError("it uses DISTINCT ON")
        star = exists and len(node.expressions) == 1 and isinstance(node.expressions[0], exp.Star)
        self.items = [] if star else [self._item(item, outermost=outermost) for item in node.expressions]
        read += self._groups(node)
        read += self._order(node, distinct=distinct is not None)
        words = "SELECT DISTINCT" if distinct is not None else "SELECT"
        if distinct is not None and any(item.term.kind == "json" for item in self.items):
            raise RefusedError("it uses DISTINCT with JSON")
        listed = ", ".join(f"{item.term.text}{f' AS {quote(item.name)}' if item.name else ''}" for item in self.items)
        return f"{words} {listed or '1'}{read}{_limit(node)}", self.items

    def _item(self, node: exp.Expression, *, outermost: bool) -> Item:
        name = ""
        if isinstance(node, exp.Alias):
            name, node = node.alias, node.this
        elif isinstance(node, exp.Column):
            name = node.name
        if outermost and not name:
            raise RefusedError("it has a column without a name")
        if len(name.encode()) > MAX_NAME_BYTES:
            raise RefusedError(f"its column {name} has a longer name than PostgreSQL keeps")
        return Item(name, node, shown(self.translator.value(node)))

    def _from(self, node: exp.Select) -> str:
        from_ = node.args.get("from_")
        if from_ is None:
            return ""
        text = f" FROM {self._joined(from_.this)}"
        return text + self._joins(node.args.get("joins") or [])

    def _joined(self, node: exp.Expression) -> str:
        return self._source(node) + self._joins(node.args.get("joins") or [])

    def _source(self, node: exp.Expression) -> str:
        if isinstance(node, exp.Table):
            text, name, source = self.query.table(node, self.ctes)
            self._add(name, source)
            return text
        if not isinstance(node, exp.Subquery) or not _only(node, {"this", "alias", "joins"}):
            raise RefusedError(f"it reads from {node.sql(dialect='mysql')}")
        alias = node.args.get("alias")
        if isinstance(node.this, exp.Table | exp.Subquery) and alias is None:
            inner = self._joined(node.this)
            return f"({inner})" if node.this.args.get("joins") else inner
        if alias is None or not _only(alias, {"this"}):
            raise RefusedError("it reads from a subquery without a name")
        text, items = self.query.whole(node.this, self.ctes)
        self._add(alias.name, _as_source(alias.name, items))
        return f"({text}) AS {quote(alias.name)}"

    def _add(self, name: str, source: Source) -> None:
        if name in self.sources:
            raise RefusedError(f"it reads {name} twice under one name")
        self.sources[name] = source

    def _joins(self, joins: Sequence[exp.Expression]) -> str:
        text = ""
        unconditional = False
        for join in joins:
            side, kind = str(join.args.get("side") or ""), str(join.args.get("kind") or "")
            on = join.args.get("on")
            if not _only(join, {"this", "on", "side", "kind"}) or kind not in {"", "INNER", "CROSS", "OUTER"}:
                raise RefusedError(f"it uses {join.sql(dialect='mysql').strip(', ')}")
            if side not in {"", "LEFT", "RIGHT"} or (side and on is None) or (side == "RIGHT" and unconditional):
                raise RefusedError(f"it uses {join.sql(dialect='mysql').strip(', ')}")
            inner = self._joined(join.this)
            if join.this.args.get("joins"):
                inner = f"({inner})"
            # A comma binds less than JOIN, which matters to a RIGHT JOIN alone.
            unconditional = unconditional or on is None
            if on is None:
                text += f" CROSS JOIN {inner}"
            else:
                text += f"{f' {side}' if side else ''} JOIN {inner} ON {self.translator.condition(on)}"
        return text

    def _groups(self, node: exp.Select) -> str:
        group, having = node.args.get("group"), node.args.get("having")
        if group is None and having is None and not any(_aggregates(item.node) for item in self.items):
            return ""
        text, keys = "", set()
        if group is not None:
            if not _only(group, {"expressions"}):
                raise RefusedError("it uses GROUP BY ... WITH ROLLUP")
            terms = [self._group_key(key) for key in group.expressions]
            keys = {term.text for term in terms}
            text = " GROUP BY " + ", ".join(term.text for term in terms)
        for item in self.items:
            self._check_grouped(item.node, keys)
        order = node.args.get("order")
        for key in order.expressions if order is not None else []:
            if self.alias(key.this) is None:
                self._check_grouped(key.this, keys)
        if having is not None:
            condition = self._without_aliases(having.this)
            self._check_grouped(condition, keys)
            text += f" HAVING {self.translator.condition(condition)}"
        return text

    def _group_key(self, node: exp.Expression) -> Term:
        # MySQL takes a bare name in GROUP BY for a column first, for a selected name second.
        if isinstance(node, exp.Column) and not node.text("table"):
            found = self.find("", node.name)
            if found is not None:
                return found
        item = self.alias(node)
        term = self.translator.value(node if item is None else item.node)
        if term.constant is not None or term.kind in {"null", "json"} or term.quotient:
            raise RefusedError(f"it groups by {described(term)}")
        return term

    def _without_aliases(self, node: exp.Expression) -> exp.Expression:
        def named(part: exp.Expression) -> exp.Expression:
            item = self.alias(part) if isinstance(part, exp.Column) else None
            return part if item is None else exp.Paren(this=item.node.copy())

        return node.copy().transform(named)

    def _check_grouped(self, node: exp.Expression, keys: set[str]) -> None:
        if isinstance(node, exp.AggFunc):
            return
        if isinstance(node, exp.Query | exp.Subquery | exp.Exists):
            raise RefusedError("it uses a subquery beside aggregates")
        if isinstance(node, exp.Column):
            if self.translator.value(node).text not in keys:
                raise RefusedError(f"it selects {node.name}, which it does not group by")
            return
        if keys and isinstance(node, exp.Func | exp.Binary | exp.Unary):
            try:
                if self.translator.value(node).text in keys:
                    return
            except RefusedError:
                pass  # a part of a node, like an interval, need not be a value
        for child in node.iter_expressions():
            self._check_grouped(child, keys)

    def _order(self, node: exp.Select, *, distinct: bool) -> str:
        order = node.args.get("order")
        if order is None:
            return ""
        keys = []
        for key in order.expressions:
            item = self.alias(key.this)
            if item is None:
                text, how = sort_key(self.translator, key)
                item = next((item for item in self.items if item.name and item.term.text == text), None)
                if distinct and item is None:
                    raise RefusedError("it sorts distinct rows by what it does not select")
            else:
                how = _direction(key)
                if item.term.kind == "json":
                    raise RefusedError("it sorts by JSON")
                text = item.term.text
            if item is not None and item.name:
                text = quote(item.name)
            keys.append(f"{text} {how}")
        return " ORDER BY " + ", ".join(keys)


def _direction(key: exp.Expression) -> str:
    return "DESC NULLS LAST" if key.args.get("desc") else "ASC NULLS FIRST"


def _union_key(key: exp.Expression, items: Sequence[Item]) -> str:
    node = key.this
    for place, item in enumerate(items, 1):
        bare = isinstance(node, exp.Column) and not node.text("table") and node.name.lower() == item.name.lower()
        if bare or (isinstance(node, exp.Literal) and not node.is_string and node.this == str(place)):
            return f"{quote(item.name)} {_direction(key)}"
    raise RefusedError("it sorts a UNION by what it does not select")


def _merged(one: Term, other: Term) -> Term:
    if one.kind == "null":
        return other
    if other.kind not in {one.kind, "null"} and not {one.kind, other.kind} <= {"int", "numeric"}:
        raise RefusedError(f"it is a UNION of {described(one)} and {described(other)}")
    if one.kind == "json":
        raise RefusedError("it is a UNION of JSON")
    if one.kind == other.kind and one.kind in {"enum", "other"} and one.name != other.name:
        raise RefusedError(f"it is a UNION of {one.name} and {other.name}")
    if one.quotient != other.quotient or one.scale != other.scale or one.kind != other.kind:
        kind = one.kind if other.kind in {one.kind, "null"} else "numeric"
        scale = max(one.scale or 0, other.scale or 0) if kind in {"timestamp", "timestamptz"} else None
        return Term("", kind, scale, quotient="rounded" if one.quotient or other.quotient else "")
    return replace(one, constant=None, wide=one.wide or other.wide, name=one.name if one.name == other.name else "")


def _as_source(alias: str, items: Sequence[Item]) -> Source:
    if any(not item.name for item in items) or len({item.name.lower() for item in items}) != len(items):
        raise RefusedError(f"it reads {alias}, whose columns have no names of their own")
    return Source({item.name.lower(): replace(item.term, text=quote(item.name), constant=None) for item in items})


def _limit(node: exp.Expression) -> str:
    text = ""
    limit, offset = node.args.get("limit"), node.args.get("offset")
    if limit is not None:
        text += f" LIMIT {number_of(limit.expression, 'a LIMIT')}"
        if not _only(limit, {"expression"}):
            raise RefusedError("it uses an unusual LIMIT")
    if offset is not None:
        text += f" OFFSET {number_of(offset.expression, 'an OFFSET')}"
    return text


def _aggregates(node: exp.Expression) -> bool:
    if isinstance(node, exp.AggFunc):
        return True
    if isinstance(node, exp.Query | exp.Subquery | exp.Exists):
        return False
    return any(_aggregates(child) for child in node.iter_expressions())


def _only(node: exp.Expression, allowed: set[str]) -> bool:
    return {key for key, value in node.args.items() if value} <= allowed


def _refuse_others(node: exp.Expression, allowed: frozenset[str]) -> None:
    for key, value in node.args.items():
        if value and key not in allowed:
            raise RefusedError(f"it uses {_CLAUSES.get(key, key.strip('_').replace('_', ' '))}")


_CLAUSES = {"hint": "a hint", "locks": "FOR UPDATE", "operation_modifiers": "a modifier of SELECT", "windows": "WINDOW"}
