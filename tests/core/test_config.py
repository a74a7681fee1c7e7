from typing import Any

import pytest
from pydantic import Field, ValidationError, model_validator

from assay.core.config import Config, load_config
from assay.core.errors import ConfigError


class Optimiser(Config):
    learning_rate: float = Field(1e-4, gt=0)
    warmup: int = 5


class Settings(Config):
    steps: int
    name: str = "run"
    optimiser: Optimiser = Optimiser()
    extra: Optimiser | None = None

    @model_validator(mode="after")
    def _check(self):
        if self.steps < self.optimiser.warmup:
            raise ValueError("steps must not be fewer than the warm-up")
        return self


class Free(Config):
    options: dict[str, Any] = {}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("steps: 10\noptimiser:\n  warmup: 2\n")
    return path


def test_a_file_and_overrides(file):
    settings = load_config(Settings, file, ["optimiser.learning_rate=3e-4", "name=[a", "extra.warmup=1", "steps=20"])
    assert (settings.steps, settings.optimiser.warmup, settings.optimiser.learning_rate) == (20, 2, 3e-4)
    assert settings.name == "[a"  # what is no YAML is text
    assert settings.extra == Optimiser(warmup=1)
    assert load_config(Settings, None, ["steps=7"]).steps == 7


def test_numbers_are_numbers():
    options = load_config(
        Free, None, ["options.eps=1e-6", "options.big=-2E+3", "options.hash=1e", "options.n=10"]
    ).options
    assert options == {"eps": 1e-6, "big": -2000.0, "hash": "1e", "n": 10}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["stps=3"], "unknown key 'stps'; did you mean 'steps'?"),
        (["optimiser.learning_rat=1"], "unknown key 'optimiser.learning_rat'; did you mean 'learning_rate'?"),
        (["extra.warmpu=1"], "unknown key 'extra.warmpu'; did you mean 'warmup'?"),
        (["optimiser.zzz=1"], "known keys: learning_rate, warmup"),
        (["steps=many"], "^steps: .*, not 'many'"),
        (["optimiser.learning_rate=-1"], "optimiser.learning_rate: "),
        (["steps=many", "optimiser.learning_rate=-1"], r"\(and 1 more\)"),
        (["optimiser=fast"], "^optimiser: is a section of the keys learning_rate, warmup; it is not 'fast'"),
        (["steps=1"], "steps must not be fewer than the warm-up"),
        (["steps"], "override 'steps' is not of the form key=value"),
        (["=3"], "is not of the form key=value"),
        (["steps.x=3"], "'steps' is not a section"),
    ],
)
def test_mistakes_are_one_line_that_names_the_key(file, overrides, message):
    with pytest.raises(ConfigError, match=message) as raised:
        load_config(Settings, file, overrides)
    assert "\n" not in str(raised.value)


def test_missing_keys_are_named():
    with pytest.raises(ConfigError, match="steps: Field required"):
        load_config(Settings)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"a: 1\nb: [", ":2: not YAML"),
        (b"a: 1\nb:\n  c: 1\n  c: 2", ":4: not YAML: the key 'c' stands twice"),
        (b"- 1", "mapping of keys to values"),
        (b"\xff\xfe", "not UTF-8"),
        (b"a: 2024-99-99", "not YAML"),
        (None, "cannot be read"),
    ],
)
def test_files_that_are_no_configuration(tmp_path, text, message):
    path = tmp_path / "c.yaml"
    if text is not None:
        path.write_bytes(text)
    with pytest.raises(ConfigError, match=message) as raised:
        load_config(Settings, path)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_empty_file_is_an_empty_configuration(tmp_path):
    (tmp_path / "c.yaml").write_text("")
    assert load_config(Settings, tmp_path / "c.yaml", ["steps=9"]).steps == 9


def test_configurations_are_frozen():
    with pytest.raises(ValidationError):
        load_config(Settings, None, ["steps=9"]).steps = 3
