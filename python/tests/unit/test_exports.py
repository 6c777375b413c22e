from __future__ import annotations

import ast
import re
from pathlib import Path
from types import ModuleType

import snakepit_bridge
from snakepit_bridge import _aio, serialization, session_context

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def test_all_is_sorted_and_complete() -> None:
    public = {
        name
        for name, value in vars(snakepit_bridge).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert set(snakepit_bridge.__all__) == public | {"__version__"}
    constants = [name for name in snakepit_bridge.__all__ if name.isupper()]
    classes = [name for name in snakepit_bridge.__all__ if name[0].isupper() and not name.isupper()]
    assert snakepit_bridge.__all__ == [*sorted(constants), *sorted(classes), "__version__"]


def test_the_version_is_the_projects() -> None:
    match = re.search(r'^version = "(.+)"$', PROJECT.read_text(), re.MULTILINE)
    assert match is not None
    assert snakepit_bridge.__version__ == match[1]


def test_older_import_paths_work() -> None:
    assert session_context.SessionContext is snakepit_bridge.SessionContext
    assert serialization.VariableSerializer is not None


def test_the_shell_stays_thin() -> None:
    source = Path(_aio.__file__).read_text()
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            docstrings.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = enumerate(source.splitlines(), 1)
    assert sum(bool(line.strip()) and number not in docstrings for number, line in lines) <= 350


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(snakepit_bridge.__file__).parent / "py.typed").exists()
