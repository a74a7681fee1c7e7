import gymnasium
import pytest
from gymnasium.envs.classic_control import CartPoleEnv

from assay.core import registry
from assay.core.errors import ConfigError, UnknownNameError
from assay.core.registry import Registry, environment_ids, load, make


class Thing:
    def __init__(self, size=1, weight: float | None = None):
        self.size = size
        if size == "boom":
            raise TypeError("no such size")
        if size == "inner":
            Thing(colour=3)
        self.grams = 1000 * (weight or 0) + 0


@pytest.fixture
def things():
    found = Registry[Thing]("thing")
    found.register("small", Thing)
    found.register("lazy", "tests.core.test_registry:Thing")
    return found


def test_factories_by_name_by_path_and_unregistered(things):
    assert things.names() == ["lazy", "small"]
    assert things.make("small", size=3).size == 3
    assert things.make("lazy").size == 1
    assert things.make("tests.core.test_registry:Thing", size=2).size == 2


def test_unknown_names_and_options(things):
    with pytest.raises(UnknownNameError, match="unknown thing 'smal'; did you mean 'small'"):
        things.make("smal")
    with pytest.raises(ConfigError, match="thing 'small' has no option 'colour'; options: size"):
        things.make("small", colour="red")
    with pytest.raises(ConfigError, match=r"'small' cannot be made: TypeError: .*'colour'"):
        things.make("small", size="inner")  # nobody gave that option
    with pytest.raises(ConfigError, match=r"thing 'small': option 'weight' must be float \| None, not 'heavy'"):
        things.make("small", weight="heavy")
    with pytest.raises(
        ConfigError, match=r"thing 'small' cannot be made: TypeError: no such size \(test_registry.py:\d+\)"
    ) as raised:
        things.make("small", size="boom")
    assert isinstance(raised.value.__cause__, TypeError)  # in Python the author sees their own code


def test_a_name_is_taken_once(things):
    things.register("small", Thing)
    with pytest.raises(ConfigError, match="registered already"):
        things.register("small", dict)


@pytest.mark.parametrize("path", ["no.such.module:X", "assay.core.errors:Missing", ":", "broken:X", "torn:X"])
def test_paths_that_lead_nowhere(path, tmp_path, monkeypatch):
    (tmp_path / "broken.py").write_text("x = 1\ny = undefined\n")
    (tmp_path / "torn.py").write_text("def (\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match="cannot load") as raised:
        load(path)
    assert "broken.py:2" in str(raised.value) or path != "broken:X"


def test_entry_points_are_found_and_imported_late(monkeypatch):
    class Point:
        name, value = "third-party", "tests.core.test_registry:Thing"

    asked = []
    monkeypatch.setattr(registry, "entry_points", lambda group: asked.append(group) or [Point()])
    found = Registry[Thing]("thing", "acme.things")
    assert asked == []
    assert found.names() == ["third-party"]
    assert asked == ["acme.things"]
    assert isinstance(found.make("third-party"), Thing)


def hook():
    if "acme/Test-v0" not in gymnasium.registry:
        gymnasium.register("acme/Test-v0", entry_point="gymnasium.envs.classic_control:CartPoleEnv")


not_callable = 3


def test_packages_register_their_environments(monkeypatch):
    class Point:
        name, value = "acme", "tests.core.test_registry:hook"

    monkeypatch.setattr(registry, "_environments_discovered", False)
    monkeypatch.setattr(registry, "entry_points", lambda group: [Point()] if group == "assay.envs" else [])
    assert "acme/Test-v0" in environment_ids()
    env = make("acme/Test-v0")
    env.close()

    Point.value = "tests.core.test_registry:not_callable"
    monkeypatch.setattr(registry, "_environments_discovered", False)
    with pytest.raises(ConfigError, match=r"entry point 'acme' of assay.envs is not callable"):
        environment_ids()


class Unmade(gymnasium.Env):
    """Forgets its base."""

    def __init__(self):
        pass


class Environment(CartPoleEnv):
    def __init__(self, length: int = 1, **kwargs):
        super().__init__(**kwargs)
        self.length = length / 2


def test_environments_that_nobody_registered():
    env = make("tests.core.test_registry:Environment", length=4)
    assert env.unwrapped.length == 2
    assert env.spec.id == "tests.core.test_registry:Environment"
    env.close()
    make("tests.core.test_registry:CartPole-v1").close()  # Gymnasium's own meaning: an id, after an import
    with pytest.raises(ConfigError, match=r"option 'length' must be int, not 'long'"):
        make("tests.core.test_registry:Environment", length="long")
    with pytest.raises(ConfigError, match=r"cannot load .* has no attribute 'Nothing'"):
        make("tests.core.test_registry:Nothing")
    with pytest.raises(ConfigError, match=r"not a subclass of gymnasium\.Env"):
        make("tests.core.test_registry:Thing")
    with pytest.raises(ConfigError, match=r"does its __init__ call super\(\).__init__"):
        make("tests.core.test_registry:Unmade")


def test_environments_by_id():
    import assay

    assert "assay/Arithmetic-v0" in assay.environment_ids()
    assert "CartPole-v1" not in assay.environment_ids()
    with pytest.raises(UnknownNameError, match=r"did you mean 'assay/Arithmetic-v0'"):
        make("assay/Arithmetik-v0")
    with pytest.raises(ConfigError, match=r"environment 'assay/Arithmetic-v0'.*colour"):
        make("assay/Arithmetic-v0", colour="red")
    env = make("assay/Arithmetic-v0")
    assert env.spec is not None
    assert env.spec.id == "assay/Arithmetic-v0"
    env.close()
