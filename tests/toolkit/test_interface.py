"""Which version of the toolkit is installed, and what is refused."""

from collections.abc import Iterator
from importlib import metadata

import pytest

from alpharefine.errors import UsageError
from vot_integration.toolkit import interface, v07, v09
from vot_integration.toolkit.interface import VERSIONS, toolkit, toolkit_version


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """The version is looked up anew."""
    toolkit.cache_clear()
    yield
    toolkit.cache_clear()


def _install(monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    monkeypatch.setattr(interface.metadata, "version", lambda package: number)


@pytest.mark.parametrize(
    ("number", "version"),
    [("0.7.3", v07.Version), ("0.7.4", v07.Version), ("0.9.0", v09.Version)],
)
def test_a_known_version_is_found_by_the_beginning_of_its_number(
    monkeypatch: pytest.MonkeyPatch, number: str, version: type
) -> None:
    _install(monkeypatch, number)
    assert toolkit_version() == number
    assert isinstance(toolkit(), version)
    assert toolkit() is toolkit()


@pytest.mark.parametrize("number", ["0.6.9", "0.8.0", "0.70.1", "0.10.0", "1.0"])
def test_an_unknown_version_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    _install(monkeypatch, number)
    with pytest.raises(UsageError, match=rf"vot-toolkit {number} is not one .*pip install") as told:
        toolkit()
    assert "\n" not in str(told.value)


def test_no_toolkit_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(package: str) -> str:
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr(interface.metadata, "version", missing)
    with pytest.raises(UsageError, match="the VOT toolkit is not installed; run pip install"):
        toolkit()


@pytest.mark.parametrize("module", VERSIONS.values())
def test_every_version_has_what_the_interface_asks_for(module: str) -> None:
    wanted = {name for name in vars(interface.Toolkit) if not name.startswith("_")}
    version = __import__(module, fromlist=["Version"]).Version
    assert wanted == {"experiment"}
    assert all(callable(getattr(version, name)) for name in wanted)
    body = {"type": "multistart", "realtime": {"grace": 3}}
    assert version().experiment(body)["realtime"] == {"grace": 3}
