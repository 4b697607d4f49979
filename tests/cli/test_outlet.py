"""What becomes of standard output changes nothing for whoever writes to it."""

import io
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import pytest

from leakbench.cli.outlet import Outlet


@contextmanager
def pipe(encoding: str = "utf-8") -> Iterator[tuple[TextIO, io.FileIO]]:
    reading, writing = os.pipe()
    with (
        os.fdopen(writing, "w", encoding=encoding) as stream,
        os.fdopen(reading, "rb", buffering=0) as reader,
    ):
        yield stream, reader


def test_what_is_written_arrives() -> None:
    with pipe() as (stream, reader):
        assert Outlet(stream).write("drove 2 h\n") == 10
        assert reader.read(100) == b"drove 2 h\n"


def test_a_reader_that_goes_away_is_no_error() -> None:
    with pipe() as (stream, reader):
        outlet = Outlet(stream)
        reader.close()
        assert outlet.write("x" * 100_000) == 100_000
        assert isinstance(outlet.failure, BrokenPipeError)
        assert outlet.write("more") == 4
        outlet.flush()
        assert not outlet.isatty()


def test_a_full_disk_is_no_error_and_is_known() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as stream:
        outlet = Outlet(stream)
        assert outlet.write("text") == 4
        assert outlet.failure is not None
        assert outlet.failure.strerror == "No space left on device"


def test_nothing_to_write_to_is_no_error() -> None:
    outlet = Outlet(None)
    assert outlet.write("text") == 4
    assert not outlet.isatty()
    with pytest.raises(io.UnsupportedOperation):
        outlet.fileno()


def test_what_an_encoding_has_not_is_shown() -> None:
    with pipe(encoding="ascii") as (stream, reader):
        Outlet(stream).write("na\u00efve \u2026 a \u2192 b \ud800\n")
        assert reader.read(100) == rb"na\xefve ... a -> b \ud800" + b"\n"


def test_a_pipe_that_is_full_for_a_while_loses_nothing() -> None:
    with pipe() as (stream, reader):
        os.set_blocking(stream.fileno(), False)
        got = bytearray()

        def read_slowly() -> None:
            while len(got) < 300_000:
                time.sleep(0.001)
                got.extend(reader.read(60_000) or b"")

        thread = threading.Thread(target=read_slowly)
        thread.start()
        Outlet(stream).write("x" * 300_000)
        thread.join(30)
        assert len(got) == 300_000


@pytest.mark.parametrize(
    "written",
    [
        ["::error::PWN\n"],
        ["subject: ok\n::error::PWN\n"],
        ["subject", ": ok\n", "  ", "::error::PWN\n"],
        ["ok\n   ::error::PWN"],
    ],
)
def test_no_line_is_a_command_of_a_build_server(written: list[str]) -> None:
    with pipe() as (stream, reader):
        outlet = Outlet(stream)
        for text in written:
            outlet.write(text)
        lines = reader.read(1000).decode().splitlines()
    assert not any(line.lstrip().startswith("::") for line in lines)
    assert "error::PWN" in lines[-1]


def test_a_command_that_is_meant_is_one() -> None:
    with pipe() as (stream, reader):
        outlet = Outlet(stream)
        outlet.write("half a line")
        outlet.write_command("::warning title=leakbench::undecided")
        outlet.write("a::b\n")
        assert reader.read(1000) == (b"half a line\n::warning title=leakbench::undecided\na::b\n")


def test_a_stand_in_of_a_test_runner_will_do() -> None:
    stream = io.StringIO()
    Outlet(stream).write("text   \nmore\n")
    assert stream.getvalue() == "text\nmore\n"
