"""What a page looks like, in several windows and colour schemes."""

import base64
import pathlib

HERE = pathlib.Path(__file__).parent
FOCUS = "document.activeElement.id || document.activeElement.localName"


def check(holds, what):
    """Fails with what should have held."""
    if not holds:
        raise AssertionError(what)


def view(page, width=1280, height=800, scheme="light"):
    """Sets the window's size and the colour scheme; colours change at once."""
    page.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
    page.call("Emulation.setEmulatedMedia", features=[
        {"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}])


def accessible(page, when):
    """Checks accessibility and layout in both colour schemes, in a phone's window and on a desktop."""
    script = (HERE / "accessibility.js").read_text()
    papers = set()
    for scheme in ("light", "dark"):
        for width, height in ((360, 640), (1280, 800)):
            view(page, width, height, scheme)
            faults = page.evaluate(script)
            check(not faults, f"{when}, {scheme}, {width} pixels: {faults}")
        papers.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    check(len(papers) == 2, f"{when}: dark and light look the same")
    for node in page.call("Accessibility.getFullAXTree")["nodes"]:
        properties = {item["name"]: item["value"].get("value") for item in node.get("properties", [])}
        role = node.get("role", {}).get("value")
        if properties.get("focusable") and not node["ignored"] and role not in ("RootWebArea",):
            check(node.get("name", {}).get("value"), f"{when}: a {role} has no name")
    view(page)


def check_tab_stops(page):
    """Tab reaches every control, and each shows its focus."""
    stops = []
    for _ in range(12):
        page.press("Tab")
        stops.append(page.evaluate(FOCUS))
        if stops[-1] == "body":
            break
        outline = page.evaluate("(({ outlineStyle, outlineWidth }) => outlineStyle + ' ' + outlineWidth)(getComputedStyle(document.activeElement))")
        check(outline == "solid 3px", f"the focus on {stops[-1]} is not visible: {outline}")
    for control in ("smaller", "larger", "captions", "toggle", "device"):
        check(control in stops, f"Tab does not reach {control}: {stops}")


def screenshot(page, path):
    """A picture of the page, small enough for the documentation."""
    page.evaluate("document.activeElement.blur()")
    view(page, 1000, 450)
    image = page.call("Page.captureScreenshot", format="png")["data"]
    pathlib.Path(path).write_bytes(base64.b64decode(image))
    view(page)
