import pytest

from assay.core.config import load_config
from assay.core.errors import ConfigError
from assay.core.task import Limits
from assay.evals import EvalConfig


def load(*overrides):
    return load_config(EvalConfig, None, ["env=assay/Arithmetic-v0", *overrides])


def test_overrides_and_defaults():
    config = load("samples=8", "ks=[1, 8]", "sampling.temperature=0.6", "limits.turns=3", "env_options.terms=4")
    assert (config.samples, config.ks, config.sampling.temperature) == (8, (1, 8), 0.6)
    assert config.limits.limits() == Limits(turns=3)
    assert config.env_options == {"terms": 4}
    assert load().ks == (1,)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("ks=[4]", r"pass@4 needs at least 4 samples of every task, and samples is 1"),
        ("ks=[0]", "k must be at least 1"),
        ("sample=4", "did you mean 'samples'"),
        ("sampling.temprature=1", "did you mean 'temperature'"),
        ("samples=0", "samples: "),
        ("sampling.top_p=0", "sampling.top_p: "),
        ("concurrency=none", "concurrency: "),
    ],
)
def test_mistakes_are_one_clear_line(override, message):
    with pytest.raises(ConfigError, match=message) as raised:
        load(override)
    assert "\n" not in str(raised.value)


def test_the_environment_is_required():
    with pytest.raises(ConfigError, match="env: "):
        load_config(EvalConfig, None, [])
