"""`python -m assay` is the `assay` program."""

from assay.cli import main

main()
