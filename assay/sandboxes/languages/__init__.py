"""Programs in other languages than Python: what each needs, and building and running them in a sandbox."""

from assay.sandboxes.languages.base import COMPILE_LIMITS, Language, MissingToolchain, Steps
from assay.sandboxes.languages.build import Build, Toolchains, toolchains
from assay.sandboxes.languages.catalogue import LANGUAGES, find_language

__all__ = [
    "COMPILE_LIMITS",
    "LANGUAGES",
    "Build",
    "Language",
    "MissingToolchain",
    "Steps",
    "Toolchains",
    "find_language",
    "toolchains",
]
