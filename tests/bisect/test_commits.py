"""Commits of a small repository made for the test: the user's tree is never touched."""

from pathlib import Path

import pytest

from leakbench.bisect.bisection import bisect_line
from leakbench.bisect.candidates import line_between, split_range
from leakbench.bisect.commits import commits_between, split_commit
from leakbench.bisect.findings import Findings
from leakbench.bisect.probing import CellProber
from leakbench.errors import ProvisionError, SubjectSpecError
from leakbench.plan.matrix import CellRequest
from tests.bisect.repositories import BOUNDED, SUBJECT, commit, git
from tests.cells import Recorder


def search(folder: Path, good: str, bad: str, output: Path) -> tuple[Findings, Recorder]:
    line = line_between(f"{folder}/src/vad.py:Vad:{good}", f"{folder}/src/vad.py:Vad:{bad}")
    observer = Recorder()
    prober = CellProber(
        folder=output,
        candidates=line.candidates,
        request=CellRequest(subject="", scenario="silence"),
        observer=observer,
    )
    found = bisect_line(line, prober, pattern=None, jobs=1, scenario="silence", command=[])
    return found, observer


def test_the_first_leaking_commit_is_found_and_kept_for_the_next_call(
    repository: Path, tmp_path: Path
) -> None:
    # What is not committed, and what the user has checked out, is neither measured nor touched.
    (repository / "retention.py").write_text("uncommitted\n")
    git(repository, "checkout", "-q", "-b", "mine")
    before = git(repository, "status", "--porcelain", "--branch")
    found, observer = search(repository, "main~5", "main", tmp_path / "out")
    assert found.change is not None
    first = git(repository, "rev-parse", "--short=10", "main~3").strip()
    assert found.change.after == f"src/vad.py:Vad:{first}"
    assert found.change.kind == "leaking"
    assert found.change.rate_before == "flat"
    assert "a chunk" in found.change.rate_after
    assert "kept" in found.paths
    assert len(observer.ends) == found.measured == 4
    # The message of each commit stands in the table.
    assert next(row.detail for row in found.probes) == "commit 0"

    again, quiet = search(repository, "main~5", "main", tmp_path / "out")
    assert quiet.ends == []
    assert again.measured == 0
    assert again.change == found.change

    assert git(repository, "status", "--porcelain", "--branch") == before
    assert (repository / "retention.py").read_text() == "uncommitted\n"
    assert git(repository, "worktree", "list").count("\n") == 1


def test_a_commit_that_does_not_load_is_skipped_with_its_reason(
    repository: Path, tmp_path: Path
) -> None:
    fixed = commit(repository, BOUNDED, "fix")
    found, _ = search(repository, fixed, "main~3", tmp_path / "out")
    assert found.change is not None
    assert found.change.kind == "fixed"
    (skipped,) = (row for row in found.probes if row.skipped)
    assert skipped.detail == "commit 4"
    assert "SyntaxError" in skipped.reason


def test_a_worktree_is_gone_when_what_was_in_it_fails(repository: Path) -> None:
    candidate = commits_between(
        f"{repository}/src/vad.py:Vad:HEAD~1", f"{repository}/src/vad.py:Vad:HEAD"
    )[0]
    seen: list[Path] = []

    def fail_inside() -> None:
        with candidate.materialise() as (spec, folders):
            assert Path(spec.removesuffix(":Vad")).read_text() == SUBJECT
            seen.extend(folders)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_inside()
    assert [folder.name for folder in seen] == ["checkout", "src"]
    assert not seen[0].exists()
    assert git(repository, "worktree", "list").count("\n") == 1


def test_hooks_of_the_checkout_are_not_run(repository: Path, tmp_path: Path) -> None:
    hook = repository / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    spec = f"{repository}/src/vad.py:Vad"
    with commits_between(f"{spec}:HEAD~1", f"{spec}:HEAD")[0].materialise():
        pass
    assert not (tmp_path / "ran").exists()


def test_merged_branches_count_as_one_step_of_the_mainline(repository: Path) -> None:
    git(repository, "checkout", "-q", "-b", "side", "HEAD~2")
    (repository / "side.txt").write_text("side")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "on the side")
    side = git(repository, "rev-parse", "HEAD").strip()
    git(repository, "checkout", "-q", "main")
    git(repository, "merge", "-q", "--no-ff", "-m", "merge", "side")
    spec = f"{repository}/src/vad.py:Vad"
    mainline = commits_between(f"{spec}:main~2", f"{spec}:main")
    assert [c.detail for c in mainline] == ["commit 4", "commit 5", "merge"]
    # From a commit off the mainline, the way that leads from it.
    assert [c.detail for c in commits_between(f"{spec}:{side}", f"{spec}:main")] == [
        "on the side",
        "merge",
    ]
    with pytest.raises(SubjectSpecError, match="neither commit descends from the other"):
        commits_between(f"{spec}:{side}", f"{spec}:main^1")


@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        ("vad.py:Vad:v1.0", ("", "vad.py", ":Vad", "v1.0")),
        ("model@../src:HEAD~3", ("model@", "../src", "", "HEAD~3")),
        ("model@a@b:HEAD@{1}", ("model@", "a@b", "", "HEAD@{1}")),
        ("vad.py:Vad", None),
        ("model@../src", None),
        ("model@../src:", None),
        ("model==1.0", None),
        ("package.module:Name", None),
    ],
)
def test_specs_with_a_revision_are_taken_apart(
    spec: str, parts: tuple[str, str, str, str] | None
) -> None:
    found = split_commit(spec)
    assert parts == (found and (found.prefix, str(found.path), found.suffix, found.revision))


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("model==1.0..model==2.0", ("model==1.0", "model==2.0")),
        ("m@../a:v1..m@../a:v2", ("m@../a:v1", "m@../a:v2")),
        ("../v.py:V:HEAD~9..../v.py:V:HEAD", ("../v.py:V:HEAD~9", "../v.py:V:HEAD")),
    ],
)
def test_ranges_are_split_between_their_specs(text: str, ends: tuple[str, str]) -> None:
    assert split_range(text) == ends


@pytest.mark.parametrize(
    ("good", "bad", "says"),
    [
        ("{}/src/vad.py:Vad:nope", "{}/src/vad.py:Vad:HEAD", "no commit 'nope' in"),
        ("{}/src/no.py:Vad:HEAD~1", "{}/src/no.py:Vad:HEAD", "is not there"),
        ("{}/src/vad.py:Vad:HEAD", "{}/src/vad.py:Vad:main", "expected two different ones"),
        ("{}/src/vad.py:Vad:HEAD", "{}/src/vad.py:Other:HEAD~1", "one subject at two commits"),
        ("{}/src/vad.py:Vad:HEAD", "{}/src/vad.py:Vad", "expected NAME@CHECKOUT:REV or"),
        ("{}/src/vad.py:Vad:HEAD", "model==1.0", "expected PROJECT==VERSION"),
    ],
)
def test_ends_that_are_no_commits_are_refused_in_one_line(
    repository: Path, good: str, bad: str, says: str
) -> None:
    with pytest.raises(SubjectSpecError, match=says) as caught:
        line_between(good.format(repository), bad.format(repository))
    assert "\n" not in str(caught.value)


def test_a_folder_outside_any_checkout_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vad.py").write_text(SUBJECT)
    spec = f"{tmp_path}/vad.py:Vad"
    with pytest.raises(SubjectSpecError, match="is not in a git checkout"):
        commits_between(f"{spec}:HEAD~1", f"{spec}:HEAD")


def test_a_machine_without_git_is_told_so(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    spec = f"{repository}/src/vad.py:Vad"
    with pytest.raises((ProvisionError, SubjectSpecError), match="git: not found"):
        commits_between(f"{spec}:HEAD~1", f"{spec}:HEAD")
