"""What stays open, and which line opened it: in real workers, and on literal looks."""

from pathlib import Path

import pytest

from leakbench.explain.census import Driven
from leakbench.explain.opened import find_opened
from leakbench.explain.shelves import Kept
from leakbench.record.explanation import Opened
from tests.explain.workers import explain_alone

SUBJECTS = Path(__file__).parent / "opening_subjects.py"
COUNTS = dict.fromkeys(("descriptors", "threads", "children", "temp_files"), 600.0)
DRIVEN = Driven(chunks=200, segments=20, streams=0)


def of_kind(opened: tuple[Opened, ...], metric: str, what: str) -> Opened:
    found = [each for each in opened if (each.metric, each.what) == (metric, what)]
    assert len(found) == 1, [(each.metric, each.what) for each in opened]
    return found[0]


@pytest.mark.parametrize(
    ("name", "metric", "what", "each", "line"),
    [
        ("Files", "descriptors", "device", 1, 'os.open("/dev/null"'),
        ("Logs", "descriptors", "deleted file", 1, "KEPT.append(tempfile.TemporaryFile()"),
        ("Pipes", "descriptors", "pipe", 2, "os.pipe()"),
        ("Sockets", "descriptors", "socket", 1, "KEPT.append(socket.socket()"),
        ("SocketPairs", "descriptors", "socket", 2, "KEPT.append(socket.socketpair()"),
        ("EventDescriptors", "descriptors", "eventfd", 1, "os.eventfd(0)"),
        ("Multiplexers", "descriptors", "epoll", 1, "KEPT.append(select.epoll()"),
        ("Loops", "descriptors", "epoll", 1, "KEPT.append(asyncio.new_event_loop()"),
        ("InAThread", "descriptors", "pipe", 2, "os.pipe()"),
        ("Workers", "descriptors", "pipe", 2, "process.start()"),
        ("Threads", "threads", "thread", 1, "threading.Thread("),
        ("Zombies", "children", "zombie", 1, "KEPT.append(subprocess.Popen("),
        ("Children", "children", "process", 1, 'KEPT.append(subprocess.Popen(["cat"]'),
        ("Forks", "children", "zombie", 1, "if os.fork() == 0:"),
        ("TempFiles", "temp_files", "temporary file", 1, "descriptor, _ = tempfile.mkstemp()"),
        ("TempFolders", "temp_files", "temporary folder", 1, "tempfile.mkdtemp()"),
    ],
)
def test_what_stays_open_is_named_with_the_line_that_opened_it(
    tmp_path: Path, name: str, metric: str, what: str, each: int, line: str
) -> None:
    found = explain_alone(tmp_path, f"{SUBJECTS}:{name}", COUNTS)
    opened = of_kind(found.opened, metric, what)
    assert opened.count_per_hour == pytest.approx(600 * each)
    (opener,) = opened.openers
    assert opener.source.startswith(line)
    assert opener.share == 1.0
    assert Path(opener.file) == SUBJECTS


@pytest.mark.parametrize("name", ["Mappings", "PrivateMappings", "MappedArrays", "SharedBlocks"])
def test_a_mapping_is_named_with_its_size_and_the_line_that_made_it(
    tmp_path: Path, name: str
) -> None:
    found = explain_alone(tmp_path, f"{SUBJECTS}:{name}", {"mapped_bytes": 4e7})
    opened = of_kind(found.opened, "mapped_bytes", "mapping")
    assert opened.bytes_per_hour == pytest.approx(600 * 65536)
    (opener,) = opened.openers
    assert opener.function == f"{name}.open"
    assert opener.bytes_per_hour == pytest.approx(opened.bytes_per_hour)


def test_what_a_library_opens_for_the_subject_is_put_down_to_the_line_of_the_subject(
    tmp_path: Path,
) -> None:
    found = explain_alone(tmp_path, f"{SUBJECTS}:Loops", COUNTS)
    (opener,) = of_kind(found.opened, "descriptors", "socket").openers
    assert opener.function == "Loops.open"
    assert Path(opener.through[-1].file).name == "socket.py"


def test_an_example_of_what_is_left_is_named(tmp_path: Path) -> None:
    found = explain_alone(tmp_path, f"{SUBJECTS}:Threads", COUNTS)
    assert of_kind(found.opened, "threads", "thread").example == "waits"


def test_what_is_closed_again_does_not_stay_open(tmp_path: Path) -> None:
    everything = {**COUNTS, "mapped_bytes": 1e6}
    assert explain_alone(tmp_path, f"{SUBJECTS}:BoundedOpening", everything).opened == ()


def test_nothing_is_watched_where_nothing_of_the_kind_leaks(tmp_path: Path) -> None:
    assert explain_alone(tmp_path, f"{SUBJECTS}:Pipes", {}).opened == ()


def kept(what: str, line: int, count: int, nbytes: int = 0) -> list[Kept]:
    place = (("subject.py", line),) if line else ()
    return [Kept(what=what, name="", place=place, nbytes=nbytes)] * count


def test_of_several_lines_the_share_is_of_what_each_left() -> None:
    first, middle, last = (
        {"descriptors": kept("pipe", 3, n) + kept("pipe", 4, 3 * n) + kept("pipe", 0, n)}
        for n in (1, 5, 9)
    )
    (opened,) = find_opened(first, middle, last, driven=DRIVEN, hours=1 / 30)
    assert (opened.amount, opened.per) == (2, "segment")
    assert [(o.line, o.share) for o in opened.openers] == [(4, 0.6), (3, 0.2)]


def test_lines_whose_things_come_and_go_open_nothing_that_stays() -> None:
    first, middle, last = (
        {"descriptors": kept("socket", 3, 4) + kept("socket", 7, n)} for n in (10, 20, 30)
    )
    (opened,) = find_opened(first, middle, last, driven=DRIVEN, hours=1 / 30)
    assert [o.line for o in opened.openers] == [7]


@pytest.mark.parametrize("counts", [(4, 4, 4), (4, 8, 8), (1, 9, 12), (9, 5, 9)])
def test_what_does_not_go_on_growing_is_left_out(counts: tuple[int, int, int]) -> None:
    looks = [{"threads": kept("thread", 3, count)} for count in counts]
    assert find_opened(*looks, driven=DRIVEN, hours=1 / 30) == ()


def test_a_file_that_gets_larger_is_told_by_its_size() -> None:
    looks = [{"temp_files": kept("temporary file", 3, 1, n * 1000)} for n in (1, 2, 3)]
    (opened,) = find_opened(*looks, driven=DRIVEN, hours=1 / 30)
    assert (opened.amount, opened.bytes_per_hour) == (0, 60_000)
    assert opened.openers[0].line == 3
