"""`python -m vecferry`, the same as the command."""

from vecferry.cli import main

main()
