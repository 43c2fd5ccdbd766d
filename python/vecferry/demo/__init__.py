"""Private servers and a sample application, for the demo, the tests and the benchmark.

Nothing in the migration itself imports this package.
"""
