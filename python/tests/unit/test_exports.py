from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

import snakepit_bridge
from snakepit_bridge import _aio, _sync, serialization, session_context, sync

MANIFEST = Path(__file__).resolve().parents[3] / "packages" / "bridge" / "package.json"


def test_all_is_sorted_and_complete() -> None:
    public = {
        name
        for name, value in vars(snakepit_bridge).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert set(snakepit_bridge.__all__) == public | {"__version__", "sync"}
    constants = [name for name in snakepit_bridge.__all__ if name.isupper()]
    classes = [name for name in snakepit_bridge.__all__ if name[0].isupper() and not name.isupper()]
    assert snakepit_bridge.__all__ == [*sorted(constants), *sorted(classes), "__version__", "sync"]


def test_the_version_is_that_of_the_npm_package() -> None:
    assert snakepit_bridge.__version__ == json.loads(MANIFEST.read_text(encoding="utf-8"))["version"]


def test_older_import_paths_work() -> None:
    assert session_context.SessionContext is snakepit_bridge.SessionContext
    assert serialization.VariableSerializer is not None


def test_the_blocking_client_has_a_module_of_its_own() -> None:
    assert sync.__all__ == ["Listener", "SessionContext", "Watch"]
    for name in sync.__all__:
        assert getattr(sync, name) is not getattr(snakepit_bridge, name)
    assert snakepit_bridge.sync is sync


@pytest.mark.parametrize("shell", [_aio, _sync])
def test_the_shells_stay_thin(shell: ModuleType) -> None:
    assert len(Path(shell.__file__ or "").read_text().splitlines()) <= 350


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(snakepit_bridge.__file__).parent / "py.typed").exists()
