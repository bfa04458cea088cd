"""`python -m showcase` is the `showcase` command."""

from showcase.cli import main

main()
