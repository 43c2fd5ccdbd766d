"""Every check that there is, in the order of the documentation."""

from __future__ import annotations

from vecferry.doctor.checks import columns, extension, indexes, searches, tables
from vecferry.doctor.model import Check, Severity

_ERROR, _WARNING, _ADVICE = Severity.ERROR, Severity.WARNING, Severity.ADVICE

CHECKS: tuple[Check, ...] = (
    Check(
        "no-extension", _ERROR, "a database without the extension vector",
        "Without it there is no vector type, no distance and no index.",
        "creates it", extension.no_extension,
    ),
    Check(
        "buffer-overflow", _ERROR, "pgvector before 0.8.2",
        "A parallel HNSW build may write past its buffer: the server crashes, or reads what it must not.",
        "update the extension and build HNSW indexes anew", extension.overflow,
    ),
    Check(
        "index-corruption", _WARNING, "pgvector 0.8.2",
        "VACUUM may damage an HNSW index, and searches then miss rows.",
        "update the extension and build HNSW indexes anew", extension.corruption,
    ),
    Check(
        "outdated-extension", _ADVICE, "an extension older than the server has at hand",
        "The library is new, the SQL objects of this database are old: new types and functions are missing.",
        "updates it", extension.outdated,
    ),
    Check(
        "text-vectors", _ERROR, "text and JSON columns that hold vectors: JSON objects, JSON arrays, pgvector's text",
        "Text cannot be searched by distance, and a cast of the object form ends with `invalid input syntax for type"
        " vector`.",
        "make the column a vector; rows of another length are kept in a table of their own", columns.text_vectors,
    ),
    Check(
        "mixed-dimensions", _ERROR, "vectors of several lengths in one column",
        "Vectors of two lengths have no distance: a search ends with `different vector dimensions`, and no index can be"
        " built.",
        "keep the rows of other lengths in a table of their own and declare the length", columns.mixed_dimensions,
    ),
    Check(
        "undeclared-dimensions", _WARNING, "a vector column without declared dimensions",
        "HNSW and IVFFlat refuse it (`column does not have dimensions`), and a vector of any length is let in.",
        "declares the length", columns.undeclared_dimensions,
    ),
    Check(
        "too-many-dimensions", _WARNING, "more dimensions than an index takes, without an index over halfvec or bits",
        "No index can be built on the column itself, so every search reads every row.",
        "builds an index over halfvec (over bits beyond 4,000)", indexes.too_many_dimensions,
    ),
    Check(
        "zero-vectors", _WARNING, "zero vectors where search is by cosine distance",
        "A zero vector has no direction: under cosine distance it is not indexed, and the row is never found.",
        "none: embed these rows again", columns.zero_vectors,
    ),
    Check(
        "null-vectors", _ADVICE, "NULLs in a vector column",
        "A NULL is in no vector index: the row is never found.",
        "none: embed these rows", columns.null_vectors,
    ),
    Check(
        "missing-index", _WARNING, "a vector column of 1,000 rows or more without an HNSW or IVFFlat index",
        "Every search reads and compares every row.",
        "builds an HNSW index", indexes.missing_index,
    ),
    Check(
        "invalid-index", _ERROR, "an index whose build did not end",
        "No query uses it, and every write keeps it up to date all the same.",
        "builds it anew, or drops what a concurrent rebuild left", indexes.invalid_index,
    ),
    Check(
        "duplicate-index", _WARNING, "two vector indexes that serve the same searches",
        "Each slows down every write and takes memory; one would do.",
        "drops the one of less use", indexes.duplicate_index,
    ),
    Check(
        "unused-index", _ADVICE, "a vector index without a scan in a week of statistics or more",
        "It slows down every write and serves nobody.",
        "drops it", indexes.unused_index,
    ),
    Check(
        "wrong-operator", _WARNING,
        "searches (of views, functions and pg_stat_statements) by an operator that no index of the column serves",
        "An index serves the one operator of its operator class; a search by another reads every row.",
        "builds an index for that operator", searches.wrong_operator,
    ),
    Check(
        "low-ef-search", _WARNING, "hnsw.ef_search below what searches ask for",
        "An HNSW index gives a search hnsw.ef_search rows at most, however high its LIMIT is.",
        "raises it", searches.low_ef_search,
    ),
    Check(
        "large-index", _WARNING, "a vector index larger than shared_buffers and effective_cache_size",
        "A search hops through the whole index: what is not in memory is a read from disk each time.",
        "tell the server of more memory, if there is", indexes.large_index,
    ),
    Check(
        "ivfflat-few-rows", _WARNING, "an IVFFlat index built on fewer rows than it has lists",
        "The lists' centres were made of too little: recall is low, and searches return too few rows.",
        "builds it anew, or an HNSW index instead while there are few rows", indexes.ivfflat_few_rows,
    ),
    Check(
        "serial-build", _ADVICE, "a table whose vectors are in TOAST, so that index builds start no parallel worker",
        "The server counts the table's own pages, which are few, and builds with one process.",
        "says how many workers a build gets", tables.serial_build,
    ),
    Check(
        "autovacuum-off", _WARNING, "a table with vectors that autovacuum leaves alone",
        "Deleted vectors stay in the index, searches grow slow and return fewer rows, statistics grow old.",
        "lets autovacuum in again", tables.autovacuum_off,
    ),
    Check(
        "never-analyzed", _WARNING, "a table with rows that was never analyzed",
        "The planner guesses how many rows there are and may choose a bad plan.",
        "analyzes it", tables.never_analyzed,
    ),
    Check(
        "sequence-behind", _ERROR, "a sequence that would give a number that its column holds already",
        "The next INSERT ends with `duplicate key value violates unique constraint`.",
        "sets it past the greatest number", tables.sequence_behind,
    ),
    Check(
        "not-validated", _WARNING, "foreign keys and CHECK constraints that are NOT VALID",
        "Rows that were there before may break it, and the planner cannot rely on it.",
        "validates it", tables.not_validated,
    ),
    Check(
        "unfinished-run", _WARNING, "a migration by vecferry that began and did not end",
        "Rows, indexes and foreign keys may be missing.",
        "forgets the run; better go on with it", tables.unfinished_run,
    ),
    Check(
        "rejected-rows", _WARNING, "rows and values that a migration by vecferry could not carry",
        "They are in the source and not in their table here, or NULL there.",
        "gives them up; better correct and land them: `vecferry rejects`", tables.rejected_rows,
    ),
)  # fmt: skip
