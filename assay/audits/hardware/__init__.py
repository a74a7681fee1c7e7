"""Auditing graders of hardware designs: cheats, labelled corpora from references and mutants, and peers' graders."""
