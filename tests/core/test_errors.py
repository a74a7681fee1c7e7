import pytest

from assay.core.errors import (
    AssayError,
    ConfigError,
    DataError,
    EngineFault,
    Fault,
    SchemaError,
    ToolError,
    UnknownNameError,
    VerifierFault,
)


def test_the_two_families_are_apart():
    assert all(issubclass(e, AssayError) for e in (ConfigError, UnknownNameError, DataError, SchemaError))
    assert all(issubclass(e, Fault) for e in (EngineFault, VerifierFault))
    assert not issubclass(Fault, AssayError)
    assert not issubclass(ToolError, AssayError | Fault)
    assert issubclass(UnknownNameError, ConfigError)


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("Countdwon", ["Countdown", "Arithmetic"], "did you mean 'Countdown'?"),
        ("zzz", ["b", "a"], "known: a, b"),
        ("zzz", [f"n{i:02}" for i in range(20)], "n11, ..."),
        ("zzz", [], "none is registered"),
    ],
)
def test_an_unknown_name_gets_a_hint(name, known, hint):
    error = UnknownNameError("environment", name, known)
    assert str(error).startswith(f"unknown environment '{name}'; ")
    assert hint in str(error)
    assert (error.kind, error.name) == ("environment", name)


def test_a_data_error_says_where():
    assert str(DataError("no answer", path="a.jsonl", line=3)) == "a.jsonl:3: no answer"
    assert str(DataError("no answer", path="a.jsonl")) == "a.jsonl: no answer"
    assert str(DataError("no answer")) == "no answer"
