"""The page in a real browser: it filters, sorts and changes theme, and fetches nothing."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.report.conftest import HOSTILE_SCENARIO, HOSTILE_SUBJECT
from tests.report.explanations import HOSTILE_CHAIN, HOSTILE_LINE

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CHROMEDRIVER = shutil.which("chromedriver")

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and CHROMEDRIVER), reason="no chromium with its chromedriver on the PATH"
)

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,1000",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    service = webdriver.ChromeService(CHROMEDRIVER, env=dict(os.environ))
    driver = webdriver.Chrome(options=options, service=service)
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser: Any, report: list[Path]) -> Any:
    page = next(path for path in report if path.name == "report.html")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    browser.get(page.as_uri())
    return browser


def rows_shown(browser: Any, what: str) -> list[str]:
    script = (
        "return [...document.querySelectorAll('#rows tbody tr')]"
        f".filter(row => row.offsetParent !== null).map(row => row.dataset.{what})"
    )
    return list(browser.execute_script(script))


def fill(browser: Any, name: str, value: str) -> None:
    browser.execute_script(
        "const control = document.getElementById(arguments[0]); control.value = arguments[1];"
        "control.dispatchEvent(new Event('input', {bubbles: true}));",
        name,
        value,
    )


def click(browser: Any, selector: str) -> None:
    browser.find_element("css selector", selector).click()


def set_width(browser: Any, width: int) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500},
    )


def background(browser: Any) -> str:
    return str(browser.execute_script("return getComputedStyle(document.body).backgroundColor"))


def test_text_finds_rows_by_path_and_subject(opened: Any) -> None:
    everything = rows_shown(opened, "path")
    fill(opened, "find", "scores storage")
    assert set(rows_shown(opened, "path")) == {"stats.scores"}
    fill(opened, "find", "no such path")
    assert rows_shown(opened, "path") == []
    assert opened.find_element("id", "count").text.startswith("0 of")
    fill(opened, "find", "")
    assert rows_shown(opened, "path") == everything


def test_rows_are_filtered_by_verdict_and_by_cell(opened: Any) -> None:
    fill(opened, "verdict", "leak")
    assert set(rows_shown(opened, "verdict")) == {"leak"}
    fill(opened, "verdict", "")
    fill(opened, "cell", "cell-1")
    assert set(rows_shown(opened, "cell")) == {"cell-1"}


def test_what_never_changed_is_shown_only_when_asked_for(opened: Any) -> None:
    before = len(rows_shown(opened, "path"))
    click(opened, "#still")
    shown = len(rows_shown(opened, "path"))
    assert shown > before
    assert opened.find_element("id", "count").text == f"{shown} of {shown} shown"


def test_rows_are_sorted_by_growth_both_ways_and_back(opened: Any) -> None:
    ranks = rows_shown(opened, "rank")
    click(opened, "th button[data-key=slope]")
    falling = [float(slope) for slope in rows_shown(opened, "slope") if slope]
    assert falling == sorted(falling, reverse=True)
    click(opened, "th button[data-key=slope]")
    rising = [float(slope) for slope in rows_shown(opened, "slope") if slope]
    assert rising == sorted(rising)
    fill(opened, "order", "rank")
    assert rows_shown(opened, "rank") == ranks == sorted(ranks, key=int)


def test_what_has_no_number_is_sorted_last_both_ways(opened: Any) -> None:
    click(opened, "th button[data-key=level]")
    for _ in range(2):
        levels = rows_shown(opened, "level")
        assert "" in levels
        assert not any(levels[levels.index("") :])
        click(opened, "th button[data-key=level]")


def test_the_theme_follows_the_system_until_one_is_chosen(opened: Any) -> None:
    light = background(opened)
    opened.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": "dark"}]},
    )
    dark = background(opened)
    assert dark != light
    click(opened, "#theme")
    assert opened.find_element("id", "theme").text == "Theme: light"
    assert background(opened) == light
    click(opened, "#theme")
    assert background(opened) == dark
    opened.refresh()
    assert opened.find_element("id", "theme").text == "Theme: dark"
    click(opened, "#theme")


def test_names_that_are_scripts_are_shown_and_do_not_run(opened: Any) -> None:
    assert opened.title == "leakbench: error"
    text = opened.find_element("tag name", "body").text
    assert HOSTILE_SCENARIO in text
    assert HOSTILE_CHAIN in text
    assert HOSTILE_LINE.function in text
    assert HOSTILE_SUBJECT in text
    assert opened.execute_script("return document.images.length") == 0


def test_even_a_script_that_got_into_the_page_would_not_run(opened: Any) -> None:
    opened.execute_script(
        "const made = document.createElement('script'); made.textContent = 'document.title = 1';"
        "document.body.append(made);"
    )
    assert opened.title == "leakbench: error"
    opened.get_log("browser")


def test_no_request_leaves_the_page_and_nothing_is_logged(opened: Any) -> None:
    opened.get_log("performance")
    opened.get_log("browser")
    opened.refresh()
    click(opened, "#theme")
    fill(opened, "find", "decibel")
    messages = [json.loads(entry["message"])["message"] for entry in opened.get_log("performance")]
    requested = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    assert requested
    assert {url.split("#")[0] for url in requested} == {opened.current_url.split("#")[0]}
    assert opened.get_log("browser") == []


def test_what_asks_for_something_from_elsewhere_is_refused(opened: Any) -> None:
    opened.get_log("browser")
    opened.execute_script(
        "new Image().src = 'http://127.0.0.1:9/leak.png';"
        "fetch('http://127.0.0.1:9/').catch(() => 0)"
    )
    refused = [entry["message"] for entry in opened.get_log("browser")]
    assert any("img-src" in message for message in refused)
    assert any("connect-src" in message for message in refused)


def test_a_real_leak_is_told_on_its_page_on_a_phone_too(browser: Any, tmp_path: Path) -> None:
    options = ("--subject", "leakbench.controls:leaky", "--scenario", "silence", "--audio", "1m")
    done = subprocess.run(
        [sys.executable, "-m", "leakbench", "run", *options, "--explain", "--output", "run"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    browser.get((tmp_path / "run" / "report.html").as_uri())
    set_width(browser, 390)
    told = browser.find_elements("css selector", "#cell-1 .growth")
    assert told[0].text.startswith("retained (list) grows by 1 item a chunk, ")
    assert "Held by Retaining.retention.held (list). Allocated at controls/retention.py:" in (
        told[0].text
    )
    code = [piece.text for piece in told[0].find_elements("tag name", "code")]
    assert code[:2] == ["retained", "Retaining.retention.held"]
    assert told[0].is_displayed()
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    # The terminal and the page say the same.
    assert "".join(told[0].text.split()) in "".join(done.stdout.replace("`", "").split())


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_is_no_wider_than_the_screen(opened: Any, width: int) -> None:
    set_width(opened, width)
    assert opened.execute_script("return document.documentElement.scrollWidth") <= width
    smallest = opened.execute_script(
        "return Math.min(...[...document.querySelectorAll('figure svg')].slice(0, 4)"
        ".map(svg => svg.getBoundingClientRect().width))"
    )
    assert smallest > 300
