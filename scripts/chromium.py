"""Controls a headless Chromium through the DevTools protocol over a pair of pipes. Needs only the standard library."""
import base64
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str | None:
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Browser:
    """A browser with one page. Collects its console messages, network requests and dialogs."""

    def __init__(self, program: str, timeout_s: float = 60):
        self.profile = tempfile.TemporaryDirectory(prefix="slopegan-chromium-", ignore_cleanup_errors=True)
        from_us, self.to_browser = os.pipe()
        self.from_browser, to_us = os.pipe()
        # The protocol uses file descriptors 3 and 4. Chromium's sandbox does not work for the root user, for example in
        # containers.
        command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
                   "--disable-background-networking", "--disable-dev-shm-usage", "--remote-debugging-pipe",
                   f"--user-data-dir={self.profile.name}", "about:blank"]
        shell = 'exec "$@" 3<&%d 4>&%d' % (from_us, to_us)
        self.process = subprocess.Popen(["bash", "-c", shell, "bash", *command], pass_fds=(from_us, to_us),
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(from_us)
        os.close(to_us)
        self.timeout_s, self.buffer, self.next_id, self.session = timeout_s, b"", 0, None
        self.console, self.requests, self.dialogs, self.events = [], [], [], []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.to_browser)
        os.close(self.from_browser)
        self.profile.cleanup()

    def call(self, method: str, **parameters):
        self.next_id += 1
        message = {"id": self.next_id, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = memoryview(json.dumps(message).encode() + b"\0")
        while data:
            data = data[os.write(self.to_browser, data):]
        while True:
            reply = self._read()
            if reply.get("id") == self.next_id:
                if "error" in reply:
                    raise RuntimeError(f"{method}: {reply['error']}")
                return reply["result"]
            self._record(reply)

    def _read(self):
        deadline = time.monotonic() + self.timeout_s
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.from_browser], [], [], max(0, deadline - time.monotonic()))
            chunk = os.read(self.from_browser, 1 << 20) if ready else b""
            if not chunk:
                raise RuntimeError("Chromium does not respond")
            self.buffer += chunk
        line, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(line)

    def _record(self, event):
        method, parameters = event.get("method"), event.get("params", {})
        if method == "Runtime.consoleAPICalled":
            self.console.append(f"console.{parameters['type']}: {parameters['args']}")
        elif method == "Runtime.exceptionThrown":
            self.console.append(str(parameters["exceptionDetails"]))
        elif method == "Log.entryAdded":
            self.console.append(f"{parameters['entry']['level']}: {parameters['entry']['text']}")
        elif method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method == "Page.javascriptDialogOpening":
            self.dialogs.append(parameters["message"])
        elif method == "Page.loadEventFired":
            self.events.append(method)

    def open(self, file: pathlib.Path, *, width=1280, height=900, dark=False, scripts=True) -> float:
        """Opens the file. Returns the seconds until it is loaded and, if scripts are enabled, drawn once."""
        self.console.clear(), self.requests.clear(), self.dialogs.clear(), self.events.clear()
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        begin = time.monotonic()
        self.call("Page.navigate", url=file.resolve().as_uri())
        while "Page.loadEventFired" not in self.events:
            self._record(self._read())
        if scripts:
            self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return time.monotonic() - begin

    def evaluate(self, expression: str):
        """Evaluates an expression, awaits it, and returns its JSON value."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def centre_of(self, selector: str):
        """Scrolls an element into view and returns the coordinates of its centre."""
        return self.evaluate("""(() => { const e = document.querySelector(%s);
            e.scrollIntoView({block: 'center', behavior: 'instant'});
            const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()"""
                             % json.dumps(selector))

    def mouse(self, kind: str, x: float, y: float, **more):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, selector: str):
        x, y = self.centre_of(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.mouse(kind, x, y, button="left", clickCount=1)

    def key(self, name: str):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name,
                      windowsVirtualKeyCode={"Escape": 27, "ArrowLeft": 37, "ArrowRight": 39, "Enter": 13}[name])

    def screenshot(self, file: pathlib.Path, whole_page: bool = True):
        # Long pages are cropped, because Chromium renders a height of at most 16,384 pixels.
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        options = {}
        if whole_page:
            options = {"captureBeyondViewport": True,
                       "clip": {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 16000), "scale": 1}}
        data = self.call("Page.captureScreenshot", format="png", **options)["data"]
        file.write_bytes(base64.b64decode(data))
