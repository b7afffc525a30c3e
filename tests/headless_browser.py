"""A real browser without a window: Debian's chromium, spoken to over a pipe.

The DevTools protocol needs no driver and no library that way: JSON messages, a NUL after each.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PACKAGE = "chromium"
FLAGS = (
    "--headless",
    "--no-sandbox",  # tests run as root in containers, and the page is ours
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
# The browser wants its two pipes at 3 and 4.
AT_3_AND_4 = 'exec "$0" "$@" 3<&0 4>&1 0</dev/null 1>&2'
TIMEOUT_S = 60
KEYS = {"Enter": ("Enter", 13, "\r"), "Space": (" ", 32, " "), "Tab": ("Tab", 9, "")}


class BrowserMissingError(Exception):
    """There is no browser here and none can be installed; the text says why."""


@dataclass
class Page:
    """One page that was opened, and what it did since."""

    process: subprocess.Popen[bytes]
    session: str | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    _number: int = 0
    _unread: bytes = b""

    def open(self, path: Path, width_px: int = 1200, height_px: int = 900) -> None:
        """Open a file and wait until it is there."""
        if self.session is None:
            target = self.call("Target.createTarget", url="about:blank")["targetId"]
            attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
            self.session = attached["sessionId"]
            for domain in ("Page", "Runtime", "Network", "Log"):
                self.call(f"{domain}.enable")
        self.resize(width_px, height_px)
        self.events.clear()
        self.call("Page.navigate", url=path.resolve().as_uri())
        self.wait_for("Page.loadEventFired")

    def resize(self, width_px: int, height_px: int = 900) -> None:
        """Make the window so large."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width_px,
            height=height_px,
            deviceScaleFactor=1,
            mobile=False,
        )

    def emulate(self, *, scheme: str = "light", medium: str = "") -> None:
        """Wish for a colour scheme, or for a medium such as ``print``."""
        wishes = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=medium, features=wishes)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in JavaScript."""
        done = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def click(self, selector: str) -> None:
        """Click in the middle of an element, as a mouse does."""
        x, y = self.evaluate(
            f"(e => {{ e.scrollIntoView({{block: 'center', behavior: 'instant'}});"
            "const r = e.getBoundingClientRect();"
            "return [r.x + r.width / 2, r.y + r.height / 2] })"
            f"(document.querySelector({json.dumps(selector)}))"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, name: str) -> None:
        """Press a key on the element that has the focus."""
        key, code, text = KEYS[name]
        fields = {"key": key, "code": name, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **fields)
        self.call("Input.dispatchKeyEvent", type="keyUp", **fields)

    def screenshot(self, file: Path) -> None:
        """Write the whole page as a PNG."""
        taken = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(taken["data"]))

    def print(self, file: Path) -> None:
        """Write the page as a PDF, as its reader would print it."""
        printed = self.call("Page.printToPDF", printBackground=False)
        file.write_bytes(base64.b64decode(printed["data"]))

    @property
    def complaints(self) -> list[str]:
        """What the console says: errors, warnings and exceptions."""
        self.evaluate("0")  # what was reported before this answer has been read
        named = [e for e in self.events if e["method"] in COMPLAINTS]
        return [json.dumps(e["params"]) for e in named]

    @property
    def requests(self) -> list[str]:
        """The addresses asked for, without the page itself and what stands in it."""
        self.evaluate("0")
        asked = [e for e in self.events if e["method"] == "Network.requestWillBeSent"]
        urls = [e["params"]["request"]["url"] for e in asked if e["params"]["type"] != "Document"]
        return [url for url in urls if not url.startswith("data:")]

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the browser for something; its answer."""
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self.session is not None:
            message["sessionId"] = self.session
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\0")
        self.process.stdin.flush()
        for answer in self._messages():
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                result: dict[str, Any] = answer["result"]
                return result
        raise AssertionError("no answer")

    def wait_for(self, event: str) -> None:
        """Read until an event has come."""
        if any(e["method"] == event for e in self.events):
            return
        for message in self._messages():
            if message.get("method") == event:
                return

    def _messages(self) -> Iterator[dict[str, Any]]:
        end_s = time.monotonic() + TIMEOUT_S
        assert self.process.stdout is not None
        pipe = self.process.stdout.fileno()
        while True:
            while b"\0" in self._unread:
                first, self._unread = self._unread.split(b"\0", 1)
                message = json.loads(first)
                if "method" in message:
                    self.events.append(message)
                yield message
            left_s = max(0, end_s - time.monotonic())
            assert select.select([pipe], [], [], left_s)[0], "the browser does not answer"
            read = os.read(pipe, 1 << 20)
            assert read, f"the browser ended: {self.process.poll()}"
            self._unread += read


COMPLAINTS = {"Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"}


@contextmanager
def open_page() -> Iterator[Page]:
    """A page of a browser of its own, which ends with it.

    Raises
    ------
    BrowserMissingError
        There is none, and it cannot be installed.
    """
    program = install()
    with tempfile.TemporaryDirectory(
        prefix="atomlake-browser-",
        ignore_cleanup_errors=True,  # its children write to it while they end
    ) as profile:
        command = [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        with subprocess.Popen(
            ["sh", "-c", AT_3_AND_4, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            page = Page(process)
            try:
                yield page
            finally:
                process.terminate()
                process.wait(timeout=20)


def install() -> str:
    """The browser's program; it is installed where it is missing and this user may.

    Raises
    ------
    BrowserMissingError
        There is none, and it cannot be installed.
    """
    found = _find()
    if found is not None:
        return found
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise BrowserMissingError(
            f"no chromium here, and only root can install it: apt-get install {PACKAGE}"
        )
    with (Path(tempfile.gettempdir()) / "atomlake-browser.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes begin at once
        if _find() is None:
            _apt("update")
            _apt("install", "-y", "--no-install-recommends", PACKAGE)
    found = _find()
    if found is None:
        raise BrowserMissingError(f"{PACKAGE} was installed and cannot be found")
    return found


def _find() -> str | None:
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


def _apt(*command: str) -> None:
    try:
        done = subprocess.run(
            ["apt-get", *command],
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BrowserMissingError(f"apt-get {' '.join(command)} took too long") from None
    if done.returncode:
        raise BrowserMissingError(f"apt-get {' '.join(command)}: {done.stderr.strip()[-300:]}")
