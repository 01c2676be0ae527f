// Faults of accessibility in the page as it is drawn, as a list of sentences. Evaluated in the page; the last expression is the list.
(() => {
  const faults = [];
  const say = (element, fault) => faults.push(`${describe(element)}: ${fault}`);
  const describe = (element) => `<${element.localName}${element.id ? ` id="${element.id}"` : ""}> "${element.textContent.trim().slice(0, 30)}"`;
  const isDrawn = (element) => element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0;
  const isDisabled = (element) => element.closest(":disabled, [aria-disabled=true]") !== null;
  const all = [...document.querySelectorAll("body *")];

  // Structure.
  if (!document.documentElement.lang) faults.push("the page names no language");
  if (!document.title) faults.push("the page has no title");
  if (document.querySelectorAll("h1").length !== 1) faults.push("the page has not exactly one h1");
  if (document.querySelectorAll("main").length !== 1) faults.push("the page has not exactly one main");
  const ids = all.map((element) => element.id).filter(Boolean);
  for (const id of ids.filter((id, index) => ids.indexOf(id) !== index)) faults.push(`two elements have the id ${id}`);
  const live = all.filter((element) => element.matches("[aria-live], [role=log], [role=status], [role=alert], [role=timer], output"));
  if (live.length !== 1 || live[0].getAttribute("aria-live") !== "polite") faults.push(`there is not exactly one polite live region: ${live.map(describe)}`);
  for (const element of all) {
    for (const attribute of ["aria-labelledby", "aria-describedby", "aria-controls", "for"]) {
      for (const id of (element.getAttribute(attribute) ?? "").split(/\s+/).filter(Boolean)) {
        if (!document.getElementById(id)) say(element, `${attribute} names no element: ${id}`);
      }
    }
    if (element.tabIndex > 0) say(element, "takes a place of its own in the order of the focus");
    if (element.tabIndex >= 0 && element.closest("[aria-hidden=true]")) say(element, "takes the focus and is hidden from screen readers");
    if (element.style.cssText && element.hasAttribute("onclick")) say(element, "has inline script");
  }

  // Contrast, by the formula of WCAG 2.
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const paint = (colors) => {
    canvas.fillStyle = "#fff";
    canvas.fillRect(0, 0, 1, 1);
    for (const color of colors) {
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
    }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (rgb) => {
    const [red, green, blue] = rgb.map((value) => value / 255).map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const ancestors = (element) => (element ? [...ancestors(element.parentElement), element] : []);
  const backgrounds = (element) => ancestors(element).map((ancestor) => getComputedStyle(ancestor).backgroundColor);
  let texts = 0;
  for (const element of all) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!(hasText || element.matches("select, input")) || !isDrawn(element) || isDisabled(element)) continue;
    if (document.querySelector("dialog:modal") && !element.closest("dialog")) continue;
    texts++;
    const style = getComputedStyle(element);
    const behind = backgrounds(element);
    const ratio = contrast(paint(behind), paint([...behind, style.color]));
    const size = parseFloat(style.fontSize);
    const least = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
    if (ratio < least) say(element, `contrast ${ratio.toFixed(2)}, at least ${least} is needed`);
  }
  if (texts < 5) faults.push(`only ${texts} texts were found to measure`);

  // Room.
  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide > 0) faults.push(`the page is ${wide} pixels too wide`);
  for (const element of all) {
    if (getComputedStyle(element).overflowX === "auto" && element.scrollWidth > element.clientWidth) say(element, "scrolls sideways");
  }
  for (const control of document.querySelectorAll("button, summary, select, input")) {
    if (!isDrawn(control)) continue;
    const { width, height, left, right } = control.getBoundingClientRect();
    if (width < 24 || height < 24) say(control, `is only ${width} x ${height} pixels large`);
    if (left < 0 || right > innerWidth) say(control, "reaches beyond the window");
  }
  return faults;
})();
