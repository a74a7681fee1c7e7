"""The command line: one file per command. Errors that the user can mend are one line on stderr and exit code 2."""

from __future__ import annotations

from assay.cli.app import main

__all__ = ["main"]
