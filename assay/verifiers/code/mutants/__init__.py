"""Small changes to programs: mutants, which usually break them, and refactorings, which never do.

Every change is an edit of the text in one place, so that all else (comments, layout, line numbers) stays as it was.
"""

from assay.verifiers.code.mutants.edits import Edit, Variant
from assay.verifiers.code.mutants.mutate import mutants
from assay.verifiers.code.mutants.refactor import refactorings
from assay.verifiers.code.mutants.rewrite import rewritings

__all__ = ["Edit", "Variant", "mutants", "refactorings", "rewritings"]
