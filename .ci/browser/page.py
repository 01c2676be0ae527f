"""Checks the page of `mynah serve` in a browser. `.ci/web` runs it."""

import argparse
import contextlib
import os
import pathlib
import re
import subprocess
import sys
import time

from appearance import FOCUS, accessible, check, check_tab_stops, screenshot, view
from devtools import Browser
from server import Server
from words import words, wrong_words

HERE = pathlib.Path(__file__).parent
# Words of the reference that may be wrong, in percent: the browser's resampling is another one than the program's.
MOST_WRONG = 25
CTRL = 2
# Characters that an address has to escape.
TOKEN = "an+access/token=%20&1"
# Resolves to this computer in the browser alone, and is no address that browsers count as secure.
FAR_HOST = "far.test"

STATE = "document.querySelector('#state').dataset.state"
FINALS = "[...document.querySelectorAll('#finals p')].map((p) => p.textContent)"
NOTICE = "document.querySelector('#notice').hidden ? '' : document.querySelector('#notice').textContent"

# Records what the page gave to screen readers and what it showed as partials, from before its first script.
WATCH = """
addEventListener("DOMContentLoaded", () => {
  window.announced = [];
  window.partials = [];
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) for (const node of addedNodes) announced.push(node.textContent);
  }).observe(document.querySelector("[aria-live]"), { childList: true, subtree: true, characterData: true });
  new MutationObserver(() => partials.push(document.querySelector("#partial").textContent))
    .observe(document.querySelector("#partial"), { childList: true });
});
const open = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
if (open) navigator.mediaDevices.getUserMedia = async (constraints) => (window.stream = await open(constraints));
"""


class Checks:
    """The checks, each on a page of its own."""

    def __init__(self, browser, arguments, log):
        self.browser, self.arguments, self.log = browser, arguments, log
        self.reference = words(pathlib.Path(arguments.reference).read_text())

    @contextlib.contextmanager
    def page(self, url, microphone="granted"):
        """A page that must log no error but those that the check `forgives`."""
        page = self.browser.open_page()
        page.forgiven = "(?!)"
        if microphone:
            self.permit(page, "microphone", microphone)
        page.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        view(page)
        page.visit(url)
        try:
            yield page
        except Exception:
            print("state:", page.evaluate(STATE), "| notice:", page.evaluate(NOTICE), "| captions:", page.evaluate(FINALS))
            print("partial:", page.evaluate("document.querySelector('#partial').textContent"), "| logged:", page.complaints())
            raise
        complaints = [complaint for complaint in page.complaints() if not re.search(page.forgiven, complaint)]
        check(not complaints, f"the page's console is not empty: {complaints}")
        page.close()

    def permit(self, page, name, setting="granted"):
        """Answers a question of the browser for a permission, in advance."""
        self.browser.call("Browser.setPermission", permission={"name": name}, setting=setting, browserContextId=page.context)

    def modules(self, server):
        """Subtitles, times and the backlog."""
        with self.page(server.url) as page:
            faults = page.evaluate((HERE / "modules.js").read_text())
            check(not faults, faults)

    def captions(self, server):
        """Speech becomes captions, by the keyboard alone; then copy, download, and what screen readers get."""
        with self.page(server.url) as page:
            accessible(page, "before the start")
            check_tab_stops(page)
            while page.evaluate(FOCUS) != "toggle":
                page.press("Tab")
            page.press("Space")
            page.wait_until("partials.filter(Boolean).length >= 2", "two partial captions")
            check(page.evaluate("document.querySelector('#partial').getAttribute('aria-hidden')") == "true", "partials are not hidden from screen readers")
            check(not page.evaluate("document.querySelector('[aria-live]').contains(document.querySelector('#partial'))"), "the partial is in the live region")
            accessible(page, "while listening")
            page.wait_until(f"{FINALS}.length > 0 && document.querySelector('#partial').textContent === ''", "a final caption")
            self.check_words(page)
            if self.arguments.screenshot:
                screenshot(page, self.arguments.screenshot)
            page.press("Enter", CTRL)
            page.wait_until(f"{STATE} === 'ready'", "the end after Ctrl+Enter")
            finals = page.evaluate(FINALS)
            check(page.evaluate("announced") == finals, f"screen readers got {page.evaluate('announced')} instead of {finals}")
            accessible(page, "with captions")
            self.check_files(page, finals)

    def check_words(self, page):
        text = " ".join(page.evaluate(FINALS))
        wrong = wrong_words(self.reference, words(text))
        print(f"   captions: {text}")
        print(f"   {wrong} of {len(self.reference)} words are wrong; at most {MOST_WRONG} % may be")
        check(100 * wrong <= MOST_WRONG * len(self.reference), "too many words are wrong")

    def check_files(self, page, finals):
        """The three downloads, by keyboard, and the clipboard."""
        folder = pathlib.Path(self.arguments.work) / "downloads"
        self.browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder), browserContextId=page.context)
        page.evaluate("document.querySelector('#download summary').focus()")
        for index, form in enumerate(("txt", "srt", "vtt")):
            page.press("Enter")
            for _ in range(index + 1):
                page.press("Tab")
            page.press("Enter")
            text = self.downloaded(folder, form)
            if form == "txt":
                check(text.splitlines() == finals, f"the text file holds {text!r}")
                continue
            check(text.startswith("WEBVTT\n\n" if form == "vtt" else "1\n"), f"the {form} file begins with {text[:20]!r}")
            mark = "." if form == "vtt" else ","
            times = re.findall(rf"^00:00:(\d\d)\{mark}(\d{{3}}) --> 00:00:(\d\d)\{mark}(\d{{3}})$", text, re.M)
            check(times, f"the {form} file has no times: {text!r}")
            check(0 <= int(times[0][0]) <= 2 and 3 <= int(times[-1][2]) <= 7, f"the {form} file's times are not those of the speech: {times}")
            cues = [line for line in text.splitlines() if line and not re.match(r"WEBVTT$|\d+$|\d\d:", line)]
            check(words(" ".join(cues)) == words(" ".join(finals)), f"the {form} file lacks words: {cues}")
            check(all(len(line) <= 42 for line in cues), f"the {form} file has long lines: {cues}")
        self.permit(page, "clipboard-read")
        self.permit(page, "clipboard-write")
        page.evaluate("document.querySelector('#copy').click()")
        page.wait_until("document.querySelector('#copy').textContent === 'Copied'", "the copy")
        copied = page.evaluate("navigator.clipboard.readText()")
        check(copied.splitlines() == finals, f"the clipboard holds {copied!r}")

    def downloaded(self, folder, form):
        """The text of the file of that form. Chromium holds the name by an empty file until the download is whole."""
        deadline = time.monotonic() + 30
        while not (files := [file for file in folder.glob(f"captions-*.{form}") if file.stat().st_size]):
            check(time.monotonic() < deadline, f"no {form} file was downloaded")
            time.sleep(0.05)
        return files[0].read_text()

    def lost_connection(self, server):
        """The server goes in mid-speech and again after it, and comes back: no word is lost and none is doubled."""
        with self.page(server.url) as page:
            page.forgiven = "WebSocket connection to"
            page.press("Enter", CTRL)
            page.wait_until("partials.filter(Boolean).length >= 2", "two partial captions")
            server.kill()
            page.wait_until(f"{STATE} === 'reconnecting'", "word of the lost connection")
            accessible(page, "while reconnecting")
            server.start()
            page.wait_until(f"{STATE} === 'listening'", "the new connection")
            page.wait_until(f"{FINALS}.length > 0", "a final caption")
            server.kill()
            page.wait_until(f"{STATE} === 'reconnecting'", "word of the second loss")
            server.start()
            page.wait_until(f"{STATE} === 'listening'", "the third connection")
            page.press("Enter", CTRL)
            page.wait_until(f"{STATE} === 'ready'", "the end")
            self.check_words(page)

    def reader(self, server):
        """Text size, scrolling back, clearing, and what the page remembers."""
        with self.page(server.url) as page:
            size = "parseFloat(getComputedStyle(document.querySelector('#captions')).fontSize)"
            small = page.evaluate(size)
            for _ in range(2):
                page.evaluate("document.querySelector('#larger').click()")
            check(page.evaluate(size) > 1.4 * small, "the text did not grow")
            page.visit(server.url)
            check(page.evaluate(size) > 1.4 * small, "the text size is not remembered")
            page.press("Enter", CTRL)
            page.wait_until(f"{STATE} === 'listening'", "the start")
            check(page.evaluate("document.querySelectorAll('#device option').length") >= 2, "the microphones are not listed")
            # Enough text to scroll, as if it had been said before.
            page.evaluate("document.querySelector('#finals').prepend(...Array.from({ length: 40 }, () => Object.assign(document.createElement('p'), { textContent: 'before' }))); 1")
            page.wait_until("partials.filter(Boolean).length >= 1", "a partial caption")
            at_end = "document.querySelector('#captions').scrollHeight - document.querySelector('#captions').scrollTop - document.querySelector('#captions').clientHeight < 2"
            check(page.evaluate(at_end), "the captions do not scroll along")
            page.evaluate("document.querySelector('#captions').scrollTop = 0; 1")
            page.wait_until("!document.querySelector('#latest').hidden", "the way back to the latest text")
            count = page.evaluate("partials.length")
            page.wait_until(f"partials.length > {count}", "another partial caption")
            check(page.evaluate("document.querySelector('#captions').scrollTop") == 0, "the captions scroll away under the reader")
            page.evaluate("document.querySelector('#latest').click()")
            check(page.evaluate(at_end), "the button does not lead to the latest text")
            page.evaluate("stream.getTracks()[0].dispatchEvent(new Event('ended')); 1")
            page.wait_until(f"({NOTICE}).includes('disconnected')", "word of the unplugged microphone")
            check(page.evaluate(f"{FINALS}.join(' ')").count("before") == 40, "what was recognized is gone")
            page.evaluate("document.querySelector('#clear').click()")
            check(page.evaluate(FINALS) == [], "the captions are not cleared")

    def refusals(self, server):
        """A denied microphone, an insecure origin, no server."""
        with self.page(server.url, microphone="denied") as page:
            page.evaluate("document.querySelector('#toggle').focus()")
            page.press("Enter")
            page.wait_until(f"({NOTICE}).includes('microphone is not allowed')", "word of the denied microphone")
            check(page.evaluate(FOCUS) == "notice", "the focus is not on the notice, so that screen readers miss it")
            accessible(page, "after a denial")
        far = server.url.replace("127.0.0.1", FAR_HOST)
        with self.page(far, microphone=None) as page:
            page.wait_until(f"({NOTICE}).includes('localhost')", "word of the insecure origin")
        with self.page(server.url) as page:
            page.forgiven = "WebSocket connection to|Failed to load resource: net::ERR_CONNECTION_|Failed to load worklet"
            server.kill()
            page.press("Enter", CTRL)
            page.wait_until(f"({NOTICE}).includes('does not answer')", "word of the absent server")
            server.start()

    def background(self, server):
        """Captions go on while the page is hidden behind another tab."""
        with self.page(server.url) as page:
            page.press("Enter", CTRL)
            page.wait_until(f"{STATE} === 'listening'", "the start")
            other = self.browser.call("Target.createTarget", url="about:blank", browserContextId=page.context)["targetId"]
            page.wait_until("document.hidden", "the page to be hidden")
            page.wait_until(f"{FINALS}.length > 0", "a final caption")
            self.browser.call("Target.closeTarget", targetId=other)
            page.press("Enter", CTRL)
            page.wait_until(f"{STATE} === 'ready'", "the end")
            self.check_words(page)

    def slow_server(self, server):
        """A server that does not keep up: the page says so, and every word comes in the end."""
        with self.page(server.url) as page:
            page.press("Enter", CTRL)
            page.wait_until(f"{STATE} === 'listening'", "the start")
            server.pause()
            page.wait_until(f"({NOTICE}).includes('server is slow')", "word of the slow server")
            accessible(page, "with a slow server")
            server.resume()
            page.wait_until(f"({NOTICE}) === ''", "the end of the warning")
            page.wait_until(f"{FINALS}.length > 0", "a final caption")
            page.press("Enter", CTRL)
            page.wait_until(f"{STATE} === 'ready'", "the end")
            self.check_words(page)

    def token(self):
        """A server that demands a token: the page asks until it is right."""
        server = Server(self.arguments.mynah, self.log, token=TOKEN)
        try:
            with self.page(server.url) as page:
                page.forgiven = "WebSocket connection to|401"
                page.press("Enter", CTRL)
                for attempt in ("wrong", TOKEN):
                    page.wait_until("document.querySelector('#access').open", "the question for the token")
                    accessible(page, "asking for the token")
                    page.call("Input.insertText", text=attempt)
                    page.press("Enter")
                    page.wait_until("!document.querySelector('#access').open", "the end of the question")
                page.wait_until(f"{STATE} === 'listening'", "the start with the right token")
                page.press("Enter", CTRL)
                page.wait_until(f"{STATE} === 'ready'", "the end")
        finally:
            server.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("mynah", "microphone", "reference", "work"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--screenshot")
    parser.add_argument("--only", metavar="CHECK", help="run this one alone, as in `reader`")
    arguments = parser.parse_args()
    log_path = pathlib.Path(arguments.work) / "log"
    options = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={arguments.microphone}%noloop",
               f"--host-resolver-rules=MAP {FAR_HOST} 127.0.0.1"]
    if os.geteuid() == 0:
        options.append("--no-sandbox")
    with open(log_path, "wb") as log:
        server = Server(arguments.mynah, log)
        browser = Browser("chromium", pathlib.Path(arguments.work) / "profile", subprocess.DEVNULL, *options)
        try:
            checks = Checks(browser, arguments, log)
            for name, run in (("modules", checks.modules), ("captions", checks.captions), ("lost connection", checks.lost_connection), ("reader", checks.reader),
                              ("refusals", checks.refusals), ("background", checks.background), ("slow server", checks.slow_server), ("token", lambda _: checks.token())):
                if arguments.only and arguments.only != name:
                    continue
                print(f"web: {name}", flush=True)
                run(server)
        except BaseException:
            sys.stderr.write("".join(log_path.read_text(errors="replace").splitlines(keepends=True)[-20:]))
            raise
        finally:
            browser.close()
            server.kill()


main()
