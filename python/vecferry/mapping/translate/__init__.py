"""How expressions.py translates: terms.py, values with their types; parse.py, text to sqlglot's syntax tree;
operators.py, functions.py, temporal.py and aggregates.py, the rules; expression.py and view.py, the two kinds of whole.
"""  # noqa: D205 - one sentence
