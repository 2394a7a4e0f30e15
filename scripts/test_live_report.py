#!/usr/bin/env python3
"""Opens the page of `slopegan report --serve` in a headless Chromium while the run continues.

    scripts/test_live_report.py BINARY     exits with 77 if Chromium is not installed
"""
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from chromium import Browser, find_chromium

SMOKE = pathlib.Path(__file__).resolve().parent.parent / "configs/smoke.yaml"
SUBTITLE = "document.querySelector('iframe')?.contentDocument?.querySelector('.subtitle')?.textContent ?? ''"
SCROLL = "document.querySelector('iframe').contentWindow.scrollY"


def wait_for(condition, what: str, timeout_s: float = 60):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"after {timeout_s:.0f} s, still waiting for: {what}"
        time.sleep(0.1)


def train(binary: str, outputs: pathlib.Path, *more: str):
    subprocess.run([binary, "--quiet", "train", SMOKE, f"run.output_dir={outputs}", *more], check=True,
                   stdout=subprocess.DEVNULL, timeout=300)


def check(binary: str, outputs: pathlib.Path):
    train(binary, outputs, "training.total_images=640", "diagnostics.every_images=320")
    server = subprocess.Popen([binary, "--quiet", "report", outputs / "smoke", "--serve", "0"], stdout=subprocess.PIPE,
                              text=True)
    try:
        url = server.stdout.readline().strip()
        with Browser(find_chromium()) as browser:
            browser.call("Page.navigate", url=url)
            wait_for(lambda: "640 images" in browser.evaluate(SUBTITLE), "the report in its frame")
            browser.evaluate("document.querySelector('iframe').contentWindow.scrollTo(0, 200)")
            wait_for(lambda: browser.evaluate(SCROLL) == 200, "the scrolled page")
            train(binary, outputs, "training.total_images=1280", "diagnostics.every_images=320", "--resume", "auto")
            wait_for(lambda: "1,280 images" in browser.evaluate(SUBTITLE), "the report with the new results")
            wait_for(lambda: browser.evaluate(SCROLL) == 200, "the restored scroll position")
            assert browser.console == [], browser.console
            outside = [asked for asked in browser.requests if not asked.startswith((url, "data:"))]
            assert outside == [], outside
            assert browser.evaluate("document.querySelector('p').hidden")
            server.send_signal(signal.SIGINT)
            assert server.wait(timeout=30) == 130
            wait_for(lambda: not browser.evaluate("document.querySelector('p').hidden"), "the message that the server stopped")
            print("the page followed the run")
    finally:
        server.kill()
        server.wait()


def main() -> int:
    if find_chromium() is None:
        print("skipped: Chromium is not installed; SLOPEGAN_TEST=1 scripts/setup.sh installs it")
        return 77
    with tempfile.TemporaryDirectory(prefix="slopegan-live-") as scratch:
        check(sys.argv[1], pathlib.Path(scratch))
    return 0


if __name__ == "__main__":
    sys.exit(main())
