"""A headless Chromium driven over its pipe by the DevTools protocol: no package, no port, no network.

https://chromedevtools.github.io/devtools-protocol: messages are JSON that ends in a zero byte; the browser
reads them from descriptor 3 and writes answers and events to descriptor 4.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--force-color-profile=srgb", "--remote-debugging-pipe",
)  # fmt: skip
PATIENCE = 60.0
"""Seconds that an answer may take, on a busy machine too."""
DESKTOP, PHONE = (1280, 900), (390, 844)
"""Width and height of a window, in CSS pixels."""


def chromium() -> str:
    """Return the path of a Chromium. Raises LookupError that says how to get one."""
    installed = next(filter(None, map(shutil.which, NAMES)), "")
    if found := os.environ.get("TRT_PARITY_CHROMIUM") or installed:
        return found
    raise LookupError("no browser: install chromium (apt-get install chromium), or set TRT_PARITY_CHROMIUM")


LAUNCHER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def _pipe() -> tuple[int, int]:
    """Return both ends of a pipe, numbered so that 3 and 4 stay free."""
    ends = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return high[0], high[1]


class Browser:
    """One browser with one tab. errors: what its console said of errors, and what a script threw.

    Raises LookupError where there is no Chromium, RuntimeError where it ends.
    """

    def __init__(self, profile: Path) -> None:
        to_browser, self._writing = _pipe()
        self._reading, from_browser = _pipe()
        command = [chromium(), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        launcher = [sys.executable, "-c", LAUNCHER, str(to_browser), str(from_browser)]
        self._process = subprocess.Popen(
            [*launcher, *command],
            pass_fds=(to_browser, from_browser),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._rest, self._number, self._session = b"", 0, ""
        self.errors: list[str] = []
        self._arrived: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._writing)  # the browser ends when its pipe does
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._reading)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; what arrives meanwhile is noted. Raises RuntimeError."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        message |= {"sessionId": self._session} if self._session else {}
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._number:
            self._note(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def open(self, address: str, size: tuple[int, int] = DESKTOP) -> None:
        """Load a page and wait until it is whole."""
        width, height = size
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        for place in ("about:blank", address):  # else an address that differs by its fragment loads nothing
            self._arrived.clear()
            self.call("Page.navigate", url=place)
            while "Page.loadEventFired" not in self._arrived:
                self._note(self._next())

    def run(self, script: str) -> Any:
        """Return what a JavaScript expression gives; a promise is waited for. Raises RuntimeError."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(json.dumps(result["exceptionDetails"])[:2000])
        return result["result"].get("value")

    def wait_for(self, condition: str, seconds: float = 10.0) -> None:
        """Wait until a JavaScript expression is true. Raises RuntimeError where it does not become so."""
        script = f"""new Promise((done) => {{
            const end = Date.now() + {1000 * seconds};
            const look = () => ({condition} || Date.now() > end ? done({condition}) : setTimeout(look, 10));
            look();
        }})"""
        if not self.run(script):
            raise RuntimeError(f"after {seconds:g} s it is still not so: {condition}")

    def picture(self, *, whole: bool = False) -> bytes:
        """Return a PNG of the window, or of the whole page."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        return base64.b64decode(shot["data"])

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            if not select.select([self._reading], [], [], PATIENCE)[0]:
                raise RuntimeError(f"the browser has not answered for {PATIENCE:g} s")
            if not (more := os.read(self._reading, 1 << 16)):
                raise RuntimeError("the browser has ended")
            self._rest += more
        message, self._rest = self._rest.split(b"\0", 1)
        return json.loads(message)

    def _note(self, event: dict[str, Any]) -> None:
        method, about = event.get("method", ""), event.get("params", {})
        self._arrived.append(method)
        if method == "Runtime.exceptionThrown":
            self.errors.append(str(about["exceptionDetails"].get("exception", about)))
        if method == "Runtime.consoleAPICalled" and about["type"] in ("error", "warning"):
            self.errors.append(str([one.get("value") for one in about["args"]]))
        if method == "Log.entryAdded" and about["entry"]["level"] in ("error", "warning"):
            self.errors.append(about["entry"]["text"])
