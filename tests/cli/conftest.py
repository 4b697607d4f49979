import io
import sys
from pathlib import Path

import pytest

from leakbench.cli import main
from tests.cli.calling import Call, Done


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """The command line in this process, called from a folder of its own."""

    def call(*arguments: str, text: bytes = b"") -> Done:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["leakbench", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
        with pytest.raises(SystemExit) as exited:
            main()
        output = capsys.readouterr()
        assert isinstance(exited.value.code, int)
        return Done(exited.value.code, output.out, output.err)

    return call
