"""Pure builders: types, statements and names; no driver, no connection."""
