"""What a process leaks besides objects: each by its number, and gone when it is let go."""

from pathlib import Path

import pytest

from leakbench.probes.resources import measure_folder, measure_private
from tests.probes.fresh import changes_of, looks_of

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="this platform has no /proc"
)

COUNTS = {
    "a descriptor": (
        "descriptors",
        "kept.append(os.open('/dev/null', os.O_RDONLY))",
        "os.close(kept.pop())",
    ),
    "a pipe": (
        "descriptors",
        "kept.extend(os.pipe())",
        "os.close(kept.pop()); os.close(kept.pop())",
    ),
    "a socket": (
        "descriptors",
        "import socket; kept.append(socket.socket())",
        "kept.pop().close()",
    ),
    "a thread": (
        "threads",
        "kept.append((e := threading.Event(), t := threading.Thread(target=e.wait))); t.start()",
        "e, t = kept.pop(); e.set(); t.join()",
    ),
    "a temporary file": (
        "temp_files",
        "kept.append(tempfile.mkstemp(dir=folder)); os.close(kept[-1][0])",
        "os.unlink(kept.pop()[1])",
    ),
    "a temporary folder": (
        "temp_files",
        "kept.append(tempfile.mkdtemp(dir=folder))",
        "os.rmdir(kept.pop())",
    ),
}
EACH = {"a pipe": 2}
COUNTED = ("descriptors", "threads", "children", "temp_files")


@pytest.mark.parametrize("kind", COUNTS)
def test_each_one_counts_once_and_no_more_when_it_is_gone(kind: str) -> None:
    metric, keep, let_go = COUNTS[kind]
    kept, gone = changes_of(f"for _ in range(7):\n    {keep}", f"for _ in range(7):\n    {let_go}")
    expected = dict.fromkeys(COUNTED, 0) | {metric: 7 * EACH.get(kind, 1)}
    assert {name: kept[name] for name in COUNTED} == expected
    assert {name: -gone[name] for name in COUNTED} == expected


@pytest.mark.parametrize("allocator", ["pymalloc", "malloc"])
def test_a_private_mapping_shows_to_the_byte_and_growth_of_the_heap_does_not(
    allocator: str,
) -> None:
    objects, native, mapped, unmapped = changes_of(
        "kept += [n + 0.5 for n in range(300_000)]",
        "kept += [libc.malloc(1000) for _ in range(3000)] + [libc.malloc(8 << 20)]",
        "kept.append(mmap.mmap(-1, 1 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))",
        "kept.pop().close()",
        PYTHONMALLOC=allocator,
    )
    assert objects["heap_bytes"] > 300_000 * 32
    assert native["heap_bytes"] > 3_000_000 + (8 << 20)
    assert [step["mapped_bytes"] for step in (objects, native, mapped, unmapped)] == [
        *(0, 0),
        *(1 << 20, -(1 << 20)),
    ]
    assert abs(mapped["heap_bytes"]) < 4096


def test_a_shared_mapping_shows_once_it_is_touched() -> None:
    untouched, touched, unmapped = changes_of(
        "kept.append(mmap.mmap(-1, 16 << 20))",
        "kept[-1].write(b'x' * (16 << 20))",
        "kept.pop().close()",
    )
    assert untouched["shared_bytes"] == 0
    # Kernels from 6.2 to 6.15 give such figures to some hundred KiB.
    assert touched["shared_bytes"] == pytest.approx(16 << 20, rel=0.05)
    assert unmapped["shared_bytes"] == pytest.approx(-(16 << 20), rel=0.05)
    assert touched["mapped_bytes"] == 0


def test_a_thread_takes_its_stack_which_the_allocator_may_keep_for_the_next() -> None:
    first, gone, second = changes_of(
        "e = threading.Event(); t = threading.Thread(target=e.wait); t.start()",
        "e.set(); t.join()",
        "e = threading.Event(); t = threading.Thread(target=e.wait); t.start()\ne.set(); t.join()",
    )
    assert first["mapped_bytes"] > 1 << 20
    assert abs(gone["mapped_bytes"]) < first["mapped_bytes"]
    assert second["mapped_bytes"] == 0


@pytest.mark.parametrize(
    "make",
    [
        "f = tempfile.TemporaryFile(dir=folder); f.write(b'x' * 5000); f.flush(); kept.append(f)",
        "f = open(folder / 'x', 'wb'); f.write(b'x' * 5000); f.flush(); os.unlink(folder / 'x')\n"
        "    kept.append(f)",
        "f = os.fdopen(os.memfd_create('x'), 'wb'); f.write(b'x' * 5000); f.flush()\n"
        "    kept.append(f)",
    ],
    ids=["TemporaryFile", "unlinked", "memfd"],
)
def test_a_file_that_no_folder_names_weighs_what_is_in_it(make: str) -> None:
    kept, doubled, gone = changes_of(
        f"for _ in range(7):\n    {make}",
        "copies = [os.dup(f.fileno()) for f in kept]",
        "while kept:\n    kept.pop().close()\nfor n in copies:\n    os.close(n)",
    )
    assert kept["temp_bytes"] == 7 * 5000
    assert kept["temp_files"] == 0
    assert doubled["temp_bytes"] == 0
    assert doubled["descriptors"] == 7
    assert gone["temp_bytes"] == -7 * 5000


def test_named_temporary_files_weigh_what_is_in_them_however_deep() -> None:
    kept, grown, sparse, gone = changes_of(
        "below = folder / 'a' / 'b'; below.mkdir(parents=True)\n"
        "for n in range(7):\n    (below / str(n)).write_bytes(b'x' * 100)",
        "for n in range(7):\n    with (below / str(n)).open('ab') as f: f.write(b'x' * 50)",
        "with (folder / 'hole').open('wb') as f: f.truncate(1 << 30)",
        "import shutil; shutil.rmtree(folder / 'a'); (folder / 'hole').unlink()",
    )
    assert (kept["temp_files"], kept["temp_bytes"]) == (2 + 7, 700)
    assert (grown["temp_files"], grown["temp_bytes"]) == (0, 350)
    assert (sparse["temp_files"], sparse["temp_bytes"]) == (1, 0)
    assert (gone["temp_files"], gone["temp_bytes"]) == (-10, -1050)


def test_what_the_harness_has_open_counts_for_nothing() -> None:
    before, after = looks_of(
        "ours = tempfile.TemporaryFile(); ours.write(b'x' * 5000); ours.flush()\n"
        "probe = ProcessProbe(temp_folder=folder, disregarded=[ours.fileno()])"
    )
    # The first probe's two descriptors are another's now.
    assert after["descriptors"] == before["descriptors"] + 2
    assert after["temp_bytes"] == before["temp_bytes"]


def test_a_folder_that_is_not_there_is_empty_and_none_at_all_is_not_measured(
    tmp_path: Path,
) -> None:
    assert measure_folder(tmp_path / "nowhere").count == 0
    assert measure_folder(None).count is None


def test_of_a_process_that_is_not_there_nothing_is_known() -> None:
    assert measure_private(2**22 + 1) is None
    assert (measure_private("self") or 0) > 0
