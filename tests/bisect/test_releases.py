"""What pip prints becomes a line of releases, in the order of PEP 440, asked for once a day."""

import os
from pathlib import Path

import pytest

from leakbench.bisect import releases
from leakbench.bisect.releases import (
    FRESH_SECONDS,
    list_releases,
    parse_versions,
    projects_of_families,
    releases_between,
    split_release,
)
from leakbench.errors import ConfigError, ProvisionError, SubjectSpecError

PRINTED = """\
WARNING: pip index is currently an experimental command. It may be removed/changed.
somemodel (1.10.0)
Available versions: 1.10.0, 1.9.1, 1.9.0.post1, 1.9.0, 1.10.0rc1, 1.2, not-a-version
  INSTALLED: 1.9.0
  LATEST:    1.10.0
"""
ORDERED = ["1.2", "1.9.0", "1.9.0.post1", "1.9.1", "1.10.0rc1", "1.10.0"]


class Pip:
    """Stands in for pip and counts its calls."""

    def __init__(self) -> None:
        self.printed = PRINTED
        self.calls: list[list[str]] = []

    def __call__(self, arguments: list[str], *, what: str, log: Path) -> str:
        self.calls.append(arguments)
        return self.printed


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Pip:
    stand_in = Pip()
    monkeypatch.setattr(releases, "run_pip", stand_in)
    monkeypatch.setenv("LEAKBENCH_CACHE", str(tmp_path))
    return stand_in


def test_versions_are_ordered_as_versions_not_as_text() -> None:
    assert parse_versions(PRINTED, "somemodel") == ORDERED


@pytest.mark.parametrize("printed", ["", "Available versions: ", "Available versions: what, ever"])
def test_output_without_versions_is_an_error_in_one_line(printed: str) -> None:
    with pytest.raises(ProvisionError, match="somemodel: pip listed no releases") as caught:
        parse_versions(printed, "somemodel")
    assert "\n" not in str(caught.value)


def test_the_index_is_asked_once_for_the_same_listing(pip: Pip) -> None:
    assert [release.version for release in list_releases("somemodel")] == ORDERED
    assert next(release.name for release in list_releases("somemodel")) == "somemodel==1.2"
    assert pip.calls == [["index", "versions", "somemodel"]]


def test_a_listing_is_asked_for_again_on_request_when_old_or_for_another_index(
    pip: Pip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list_releases("somemodel")
    list_releases("somemodel", refresh=True)
    assert len(pip.calls) == 2
    (listing,) = (tmp_path / "index").iterdir()
    old = listing.stat().st_mtime - FRESH_SECONDS - 1
    os.utime(listing, (old, old))
    list_releases("somemodel")
    assert len(pip.calls) == 3
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    list_releases("somemodel")
    assert len(pip.calls) == 4
    list_releases("somemodel", pre=True)
    assert pip.calls[-1] == ["index", "versions", "--pre", "somemodel"]


def test_a_listing_that_is_no_json_is_made_again(pip: Pip, tmp_path: Path) -> None:
    list_releases("somemodel")
    (listing,) = (tmp_path / "index").iterdir()
    listing.write_text("[")
    assert [release.version for release in list_releases("somemodel")] == ORDERED


@pytest.mark.parametrize(
    ("first", "last"), [("1.9.0", "1.10.0rc1"), ("1.10.0rc1", "1.9.0")], ids=["up", "down"]
)
def test_releases_between_two_are_oldest_first_whichever_is_named_first(
    pip: Pip, first: str, last: str
) -> None:
    found = releases_between(f"somemodel=={first}", f"SomeModel=={last}")
    assert [release.version for release in found] == ["1.9.0", "1.9.0.post1", "1.9.1", "1.10.0rc1"]
    # A pre-release is only listed when it is asked for.
    assert "--pre" in pip.calls[0]


def test_versions_written_differently_are_the_same_release(pip: Pip) -> None:
    found = releases_between("somemodel==1.2.0", "somemodel==1.9")
    assert [release.version for release in found] == ["1.2", "1.9.0"]


def test_a_release_that_came_out_since_is_found(pip: Pip) -> None:
    list_releases("somemodel")
    pip.printed = PRINTED.replace(" 1.9.1,", " 1.9.2, 1.9.1,")
    assert len(releases_between("somemodel==1.9.1", "somemodel==1.9.2")) == 2


@pytest.mark.parametrize(
    ("first", "last", "says"),
    [
        ("somemodel==1.5", "somemodel==1.9.0", "not on the index; the nearest are 1.2, 1.9.0"),
        ("somemodel==1.2", "other==1.2", "expected two releases of one project"),
        ("somemodel", "somemodel==1.2", "expected PROJECT==VERSION"),
        ("somemodel==x", "somemodel==1.2", "expected PROJECT==VERSION"),
        ("==1.0", "somemodel==1.2", "expected PROJECT==VERSION"),
    ],
)
def test_ends_that_are_no_releases_are_refused_in_one_line(
    pip: Pip, first: str, last: str, says: str
) -> None:
    with pytest.raises(SubjectSpecError, match=says) as caught:
        releases_between(first, last)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("project", ["", "--index-url", "a b", "-r file"])
def test_what_is_no_project_never_reaches_pip(pip: Pip, project: str) -> None:
    with pytest.raises(ConfigError, match="project must be"):
        list_releases(project)
    assert pip.calls == []


def test_an_index_that_cannot_be_used_is_an_error_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LEAKBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    with pytest.raises(ProvisionError, match="has no such project") as caught:
        list_releases("somemodel")
    assert "\n" not in str(caught.value)


def test_aliases_stand_for_their_releases() -> None:
    project = projects_of_families()[0]
    assert split_release("original")[0] == project
