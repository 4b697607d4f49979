"""Caches of the interpreter and its library are cleared, and nothing whose loss would matter."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from leakbench.probes import caches
from tests.probes.fresh import changes_of, output_of

CLEARING = "from leakbench.probes.caches import StandardCaches, clear_type_cache\n"


@pytest.mark.parametrize(
    ("fill", "size"),
    [
        ("import re; [re.compile(f'a{n}') for n in range(200)]", "len(re._cache)"),
        ("import re; [re.sub('x', f'y{n}', 'x') for n in range(200)]", "len(re._cache)"),
        ("import struct; [struct.calcsize(f'{n}s') for n in range(90)]", None),
        (
            "import time, _strptime; time.strptime('1', '%S'); time.strptime('1', '%M')",
            "len(_strptime._regex_cache)",
        ),
        (
            "import fnmatch; [fnmatch.fnmatch('a', f'{n}*') for n in range(200)]",
            "fnmatch._compile_pattern.cache_info().currsize",
        ),
        (
            "import urllib.parse as p; [p.urlsplit(f'http://{n}/') for n in range(100)]",
            "p.urlsplit.cache_info().currsize",
        ),
        (
            "import filecmp; filecmp.cmp(__import__('os').__file__, filecmp.__file__, False)\n"
            "filecmp._cache.update({n: n for n in range(50)})",
            "len(filecmp._cache)",
        ),
        ("import linecache, os; linecache.getlines(os.__file__)", "len(linecache.cache)"),
    ],
    ids=["re", "re.sub", "struct", "strptime", "fnmatch", "urllib", "filecmp", "linecache"],
)
def test_a_bounded_cache_of_the_standard_library_is_emptied(fill: str, size: str | None) -> None:
    program = f"{CLEARING}{fill}\nc = StandardCaches()\n"
    if size is None:
        program += "c.clear(); print(1, 0)"
    else:
        program += f"full = {size}; c.clear(); print(full, {size})"
    full, left = map(int, output_of(program).split())
    assert full > 0
    assert left == 0


def test_a_module_that_is_loaded_later_is_cleared_as_well() -> None:
    program = (
        f"{CLEARING}import sys\nc = StandardCaches(); c.clear()\n"
        "before = 'tokenize' in sys.modules\n"
        "import tokenize; tokenize._compile('a'); c.clear()\n"
        "print(before, tokenize._compile.cache_info().currsize)"
    )
    assert output_of(program).split() == ["False", "0"]


KEPT = {
    "its own cache with a bound": (
        "import functools\nf = functools.lru_cache(maxsize=9)(lambda n: n); f(1)",
        "f.cache_info().currsize == 1",
    ),
    "its own cache without a bound": (
        "import functools\nf = functools.cache(lambda n: n); f(1)",
        "f.cache_info().currsize == 1",
    ),
    "a cache it has put into a module of the library": (
        "import functools, json\n"
        "json.mine = functools.lru_cache(maxsize=9)(lambda n: n); json.mine(1)",
        "json.mine.cache_info().currsize == 1",
    ),
    "a module of its own that is called as one of the library": (
        "import pathlib, tempfile\nfolder = tempfile.mkdtemp(); sys.path.insert(0, folder)\n"
        "pathlib.Path(folder, 'colorsys.py').write_text("
        "'import functools\\n@functools.lru_cache(maxsize=9)\\ndef f(n): return n\\n')\n"
        "import colorsys; colorsys.f(1)",
        "colorsys.f.cache_info().currsize == 1",
    ),
    "lines of code made at run time": (
        "import linecache\nlinecache.cache['<made>'] = (1, None, ['x = 1'], '<made>')",
        "linecache.getline('<made>', 1) == 'x = 1'",
    ),
    "which warnings were shown": (
        "import warnings\nwarnings.simplefilter('default')\n"
        "with warnings.catch_warnings(record=True): warnings.warn('w')",
        "len(__warningregistry__) > 0",
    ),
    "types of pointers": (
        "import ctypes\nclass S(ctypes.Structure): pass\nP = ctypes.POINTER(S)",
        "ctypes.POINTER(S) is P",
    ),
    "kinds of files it has registered": (
        "import mimetypes\nmimetypes.add_type('audio/ours', '.ours')",
        "mimetypes.guess_type('a.ours')[0] == 'audio/ours'",
    ),
    "how it pickles": (
        "import copyreg\nclass C: pass\ncopyreg.pickle(C, lambda c: (C, ()))",
        "C in copyreg.dispatch_table",
    ),
    "how it opens addresses": (
        "import urllib.request as r\nopener = r.build_opener(); r.install_opener(opener)",
        "r._opener is opener",
    ),
}


@pytest.mark.parametrize("kind", KEPT)
def test_what_is_the_subjects_is_kept(kind: str) -> None:
    prepare, holds = KEPT[kind]
    program = (
        f"import sys\n{CLEARING}{prepare}\n"
        f"StandardCaches().clear(); clear_type_cache(); print({holds})"
    )
    assert output_of(program).strip() == "True"


def test_what_is_cleared_is_filled_again_when_asked() -> None:
    program = (
        f"{CLEARING}import re, struct, time, linecache, os\n"
        "def ask(): return (re.sub('b+', 'x', 'abba'), struct.pack('<f', 1.0),\n"
        "                   time.strptime('12', '%S').tm_sec, linecache.getline(os.__file__, 1))\n"
        "first = ask(); StandardCaches().clear(); clear_type_cache(); print(ask() == first)"
    )
    assert output_of(program).strip() == "True"


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_clearing_warns_of_nothing(version: str) -> None:
    python = shutil.which(f"python{version}") or f"python{version}"
    run = [python, "-W", "error", "-X", "dev"]
    try:
        found = subprocess.run([*run, "-c", ""], capture_output=True, check=False).returncode == 0
    except OSError:
        found = False
    if not found:
        pytest.skip(f"no Python {version} here")
    program = (
        f"import runpy, re, struct, sys\nmodule = runpy.run_path({str(caches.__file__)!r})\n"
        "module['StandardCaches']().clear(); module['clear_type_cache']()\n"
        "print(module['_clear_interpreter'].__name__)"
    )
    done = subprocess.run(
        [*run, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == ""
    renamed = tuple(map(int, version.split("."))) >= (3, 13)
    assert done.stdout.strip() == ("_clear_internal_caches" if renamed else "_clear_type_cache")


NAMES = """
ask = ctypes.pythonapi.PyObject_HasAttrString
ask.argtypes = [ctypes.py_object, ctypes.c_char_p]
asked = object()
room = [None] * 2000
"""
# What stands between the names keeps each from getting the place of the one before.
ASKING = """
for n in range(2000):
    ask(asked, b'an_attribute_that_no_object_has_%d' % n)
    room[n] = bytes(50)
for n in range(2000):
    room[n] = None
"""


@pytest.mark.parametrize("clears", [True, False])
def test_names_that_c_code_asks_for_are_growth_only_where_they_are_not_cleared(
    clears: bool,
) -> None:
    _, asked = changes_of(f"settling = Settling(clears_caches={clears}){NAMES}", ASKING)
    # Where the names fall decides how many displace each other: 40 to 400 of 96 bytes stay.
    assert (asked["heap_bytes"] > 2048) is not clears
    if clears:
        assert abs(asked["heap_bytes"]) < 1024


def test_this_interpreter_has_a_cache_to_clear() -> None:
    assert caches._clear_interpreter.__module__ == sys.__name__
    assert Path(caches.__file__).is_file()
