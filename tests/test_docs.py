"""What the documentation says to type works, and what it shows is what there is."""

import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from leakbench.cli.commands import cli as _cli
from leakbench.cli.exit_status import ExitStatus
from leakbench.cli.starter import FILES, read_starter
from leakbench.errors import ConfigError
from leakbench.plan.config import load_config

ROOT = Path(__file__).parents[1]
GUIDES = sorted(
    path
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"))
    if path.name != "CHANGELOG.md"
)
BLOCK = re.compile(r"^```(\w+) ?(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# (\w+\.(?:py|toml))\n")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, how it is to be tested, and its text."""

    guide: Path
    language: str
    mark: str
    text: str

    @property
    def commands(self) -> list[list[str]]:
        typed = [line[2:] for line in self.text.splitlines() if line.startswith("$ ")]
        return [shlex.split(line, comments=True) for line in typed]

    def __str__(self) -> str:
        first = self.text.strip().splitlines()[0].removeprefix("$ ")
        return f"{self.guide.name}: {first}"


BLOCKS = [
    Block(guide, language, mark, text)
    for guide in GUIDES
    for language, mark, text in BLOCK.findall(guide.read_text(encoding="utf-8"))
]
TYPED = [
    pytest.param(command, id=f"{block.guide.name}: {shlex.join(command)}")
    for block in BLOCKS
    if block.language == "console"
    for command in block.commands
    if command[0] == "leakbench"
]
RUNNABLE = [
    pytest.param(block, id=str(block), marks=[pytest.mark.slow] if block.mark == "slow" else [])
    for block in BLOCKS
    if block.mark in ("run", "slow")
]


@pytest.mark.parametrize("command", TYPED)
def test_the_command_line_has_what_a_guide_types(command: list[str]) -> None:
    _, name, *arguments = command
    with click.Context(_cli) as context:
        found = _cli.get_command(context, name)
        assert found is not None, f"no command {name}"
        if isinstance(found, click.Group):
            found = found.get_command(context, arguments.pop(0))
            assert found is not None
        found.make_context(name, arguments)


@pytest.mark.parametrize("block", RUNNABLE)
def test_what_a_guide_runs_exits_with_0(tmp_path: Path, block: Block) -> None:
    rows = [f"{60 * minute},{2**27 + minute % 3}" for minute in range(1, 241)]
    (tmp_path / "rss.csv").write_text("\n".join(["audio_seconds,value", *rows]))
    for other in BLOCKS:
        named = FILE_NAME.match(other.text)
        if other.guide == block.guide and named:
            (tmp_path / named[1]).write_text(other.text)
    commands = block.commands if block.language == "console" else [["python", "-c", block.text]]
    for program, *arguments in commands:
        done = subprocess.run(
            [sys.executable, *PROGRAMS[program], *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=280,
        )
        assert done.returncode == 0, f"{program} {arguments}\n{done.stdout}{done.stderr}"


PROGRAMS = {
    "leakbench": ["-m", "leakbench"],
    # By name, whether or not this leakbench is the one that is installed.
    "pytest": ["-m", "pytest", "-p", "no:leakbench", "-p", "leakbench.hosts.pytest_plugin"],
    "python": [],
}


@pytest.mark.parametrize("name", sorted(set(FILES) - {"meeting.toml"}))
def test_what_init_writes_is_shown_as_it_is(name: str) -> None:
    shown = [block.text for block in BLOCKS if block.text == read_starter(name)]
    assert len(shown) == 1


def test_the_table_of_keys_holds_every_key(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "budgets.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?:`\[+(\w+)\]+`)? ?\| `(\w+)` \|", guide, re.MULTILINE)
    shown: dict[str, set[str]] = {}
    table = ""
    for name, key in rows:
        table = name or table
        shown.setdefault(table, set()).add(key)
    file = tmp_path / "leakbench.toml"
    for header, given in (
        ("[gate]", ""),
        ("[[cell]]", 'subject = "a"\nscenario = "b"'),
        ("[[budget]]", 'limit = "1 B/h"'),
    ):
        file.write_text(f"{header}\n{given}\nqqqqqqqq = 1\n")
        with pytest.raises(ConfigError) as caught:
            load_config(file)
        known = str(caught.value).rpartition("; use ")[2].split(", ")
        assert shown[header.strip("[]")] == set(known)


def test_every_exit_status_is_in_the_table() -> None:
    guide = (ROOT / "docs" / "budgets.md").read_text(encoding="utf-8")
    shown = {int(status) for status in re.findall(r"^\| (\d+) \|", guide, re.MULTILINE)}
    assert shown == set(map(int, ExitStatus))


LINK = re.compile(r"\]\(([^)#:\s]*)(?:#([^)\s]*))?\)")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
GLOSSARY = ROOT / "docs" / "glossary.md"


def read_prose(guide: Path) -> str:
    return FENCED.sub("", guide.read_text(encoding="utf-8"))


def read_headings(guide: Path) -> list[str]:
    return re.findall(r"^#+ (.+)$", read_prose(guide), re.MULTILINE)


def anchor_of(heading: str) -> str:
    """Return what a link calls a heading: what GitHub makes of its text."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def links_of(guide: Path) -> list[tuple[Path, str]]:
    """Return the file and the anchor, if any, of each link that stays within the project."""
    return [
        (guide.parent / target if target else guide, anchor)
        for target, anchor in LINK.findall(read_prose(guide))
    ]


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_links_between_guides_lead_somewhere(guide: Path) -> None:
    for file, anchor in links_of(guide):
        assert file.exists(), f"{guide.name}: {file}"
        if anchor:
            assert anchor in set(map(anchor_of, read_headings(file))), f"{file.name}#{anchor}"


def test_a_link_to_no_heading_is_noticed(tmp_path: Path) -> None:
    guide = tmp_path / "guide.md"
    guide.write_text("# One\n\n## Two words, `three`\n\n[a](#two-words-three) [b](guide.md#four)\n")
    assert links_of(guide) == [(guide, "two-words-three"), (guide, "four")]
    assert [anchor_of(heading) for heading in read_headings(guide)] == ["one", "two-words-three"]


def test_the_glossary_is_in_alphabetical_order() -> None:
    words = read_headings(GLOSSARY)[1:]
    assert words == sorted(words, key=str.casefold)


def test_every_word_of_the_glossary_is_linked_from_a_guide() -> None:
    others = [guide for guide in GUIDES if guide != GLOSSARY]
    links = [link for guide in others for link in links_of(guide)]
    linked = {anchor for file, anchor in links if file == GLOSSARY and anchor}
    assert linked == {anchor_of(word) for word in read_headings(GLOSSARY)[1:]}
