import gymnasium
import pytest

from assay.core import registry
from assay.core.errors import ConfigError, UnknownNameError
from assay.core.registry import Registry, environment_ids, load, make


class Thing:
    def __init__(self, size=1):
        self.size = size
        if size == "boom":
            raise TypeError("no such size")


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
    with pytest.raises(TypeError, match="no such size"):
        things.make("small", size="boom")  # a bug of the factory is not the user's mistake


def test_a_name_is_taken_once(things):
    things.register("small", Thing)
    with pytest.raises(ConfigError, match="registered already"):
        things.register("small", dict)


@pytest.mark.parametrize("path", ["no.such.module:X", "assay.core.errors:Missing"])
def test_paths_that_lead_nowhere(path):
    with pytest.raises(ConfigError, match="cannot load"):
        load(path)


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
