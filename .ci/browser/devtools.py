"""Chromium without a window, driven over the DevTools protocol by a pair of pipes. Needs nothing but Python."""

import json
import os
import queue
import signal
import subprocess
import threading
import time

PATIENCE_SECONDS = 30


class DevToolsError(Exception):
    """The browser's refusal of a command, or an exception in the page."""


class Browser:
    """A browser with a profile of its own."""

    def __init__(self, program, profile, log, *options):
        command_read, self._write = os.pipe()
        self._read, reply_write = os.pipe()

        def give_pipes():
            # The browser reads commands from descriptor 3 and writes replies to 4. Copies above those two first, so that neither is overwritten.
            reading, writing = os.dup2(command_read, 13), os.dup2(reply_write, 14)
            os.dup2(reading, 3)
            os.dup2(writing, 4)

        self.process = subprocess.Popen(
            [program, "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={profile}", "--no-first-run",
             "--disable-gpu", "--hide-scrollbars", "--disable-background-networking", *options, "about:blank"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=give_pipes, close_fds=False, start_new_session=True,
        )
        os.close(command_read)
        os.close(reply_write)
        self._number = 0
        self._replies = {}
        self._arrived = threading.Condition()
        self.events = []
        threading.Thread(target=self._receive, daemon=True).start()

    def call(self, method, session=None, **parameters):
        """Sends a command and returns its result."""
        with self._arrived:
            self._number += 1
            number = self._number
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        with self._arrived:
            if not self._arrived.wait_for(lambda: number in self._replies, PATIENCE_SECONDS):
                raise DevToolsError(f"{method}: no reply within {PATIENCE_SECONDS} s")
            reply = self._replies.pop(number)
        if "error" in reply:
            raise DevToolsError(f"{method}: {reply['error']['message']}")
        return reply["result"]

    def open_page(self, width=1280, height=800):
        """Opens a page in a browser context of its own."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context, width=width, height=height)
        session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        return Page(self, context, target["targetId"], session)

    def close(self):
        """Ends the browser and its children."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def _receive(self):
        rest = b""
        while chunk := os.read(self._read, 1 << 20):
            *messages, rest = (rest + chunk).split(b"\0")
            with self._arrived:
                for message in map(json.loads, messages):
                    if "id" in message:
                        self._replies[message["id"]] = message
                    else:
                        self.events.append(message)
                self._arrived.notify_all()


class Page:
    """A tab, with what it logged."""

    def __init__(self, browser, context, target, session):
        self.browser, self.context, self.target, self.session = browser, context, target, session
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        return self.browser.call(method, session=self.session, **parameters)

    def evaluate(self, expression):
        """The value of a JavaScript expression; promises are awaited."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True)
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise DevToolsError(f"{expression}: {details.get('exception', {}).get('description', details['text'])}")
        return result["result"].get("value")

    def visit(self, url):
        """Loads a page to the end of its scripts."""
        self.call("Page.navigate", url=url)
        self.wait_until("document.readyState === 'complete' && location.href !== 'about:blank'", f"{url} to load")

    def wait_until(self, expression, what, seconds=PATIENCE_SECONDS):
        """Waits until an expression is true, and returns its value."""
        deadline = time.monotonic() + seconds
        while not (value := self.evaluate(expression)):
            if time.monotonic() > deadline:
                raise DevToolsError(f"waited {seconds} s in vain for {what}")
            time.sleep(0.05)
        return value

    def press(self, key, modifiers=0):
        """Presses and releases a key: `Tab`, `Enter`, `Space` or `Escape`, with 2 for Ctrl and 8 for Shift."""
        code, text = {"Tab": (9, ""), "Enter": (13, "\r"), "Space": (32, " "), "Escape": (27, "")}[key]
        name = " " if key == "Space" else key
        common = {"key": name, "code": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        self.call("Input.dispatchKeyEvent", type="keyDown", **common, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def events(self, method):
        """The parameters of the page's events so far."""
        return [event["params"] for event in list(self.browser.events)
                if event["method"] == method and event.get("sessionId") == self.session]

    def complaints(self):
        """Errors of the console, uncaught exceptions, violations of the content security policy and other issues."""
        logged = [entry["entry"]["text"] + " " + entry["entry"].get("url", "") for entry in self.events("Log.entryAdded")
                  if entry["entry"]["level"] in ("error", "warning")]
        console = [" ".join(str(argument.get("value")) for argument in call["args"])
                   for call in self.events("Runtime.consoleAPICalled") if call["type"] in ("error", "warning", "assert")]
        thrown = [details["exceptionDetails"].get("exception", {}).get("description", "exception")
                  for details in self.events("Runtime.exceptionThrown")]
        issues = [json.dumps(issue["issue"]) for issue in self.events("Audits.issueAdded")]
        return logged + console + thrown + issues

    def close(self):
        self.browser.call("Target.disposeBrowserContext", browserContextId=self.context)
