"""Recognizes a recording by the WebAssembly package in a browser, and captions a microphone on its page. `.ci/wasm` runs it."""

import argparse
import contextlib
import functools
import http.server
import json
import os
import pathlib
import subprocess
import threading

from appearance import accessible, check, view
from devtools import Browser
from words import words, wrong_words

# Words of the reference that may be wrong, in percent: the browser's microphone is not the file, sample for sample.
MOST_WRONG = 25
PATIENCE_SECONDS = 120

STATE = "document.querySelector('#state').dataset.state"
FINALS = "[...document.querySelectorAll('#finals p')].map((p) => p.textContent)"

# What measure.js gives for the samples.
MEASURE = """
Promise.all([import("./mynah.js"), import("./measure.js"), fetch("samples.f32").then((file) => file.arrayBuffer())])
  .then(([mynah, { measure }, samples]) => measure(mynah, "mynah_bg.wasm", new Float32Array(samples), %s))
  .then(JSON.stringify, (error) => JSON.stringify({ error: String(error) }))
  .then((result) => { window.result = result; });
window.result = undefined;
"""


@contextlib.contextmanager
def served(folder):
    """The address of a server for the files of the folder."""
    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def measure(page, options):
    page.evaluate(MEASURE % json.dumps(options) + "0")
    result = json.loads(page.wait_until("window.result", "the transcript", PATIENCE_SECONDS))
    check("error" not in result, result.get("error"))
    return result


def captions(page, reference):
    """Speech of the microphone becomes captions."""
    page.wait_until(f"{STATE} === 'ready'", "the recognizer", PATIENCE_SECONDS)
    accessible(page, "before the start")
    page.evaluate("document.querySelector('#toggle').click()")
    page.wait_until(f"{FINALS}.length > 0", "a final caption", PATIENCE_SECONDS)
    accessible(page, "with captions")
    page.evaluate("document.querySelector('#toggle').click()")
    page.wait_until(f"{STATE} === 'ready'", "the end", PATIENCE_SECONDS)
    text = " ".join(page.evaluate(FINALS))
    wrong = wrong_words(words(reference), words(text))
    print(f"   captions: {text}")
    check(100 * wrong <= MOST_WRONG * len(words(reference)), f"{wrong} words are wrong")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", required=True, help="the folder, with measure.js and samples.f32 beside the module")
    parser.add_argument("--microphone", help="what the microphone gives; without it no captions are checked")
    parser.add_argument("--reference", help="what is said in it")
    parser.add_argument("--profile", required=True, help="a folder for the browser's data")
    parser.add_argument("options", nargs="*", type=json.loads, help="options of recognizers, as JSON; the results are printed as JSON, a line each")
    arguments = parser.parse_args()
    options = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    if arguments.microphone:
        options.append(f"--use-file-for-fake-audio-capture={arguments.microphone}%noloop")
    if os.geteuid() == 0:
        options.append("--no-sandbox")
    browser = Browser("chromium", arguments.profile, subprocess.DEVNULL, *options)
    try:
        with served(arguments.package) as url:
            page = browser.open_page()
            view(page)
            page.visit(url)
            if arguments.microphone:
                captions(page, pathlib.Path(arguments.reference).read_text())
            for choice in arguments.options:
                print(json.dumps(measure(page, choice)), flush=True)
            check(not page.complaints(), f"the page's console is not empty: {page.complaints()}")
    finally:
        browser.close()


main()
