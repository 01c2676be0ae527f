// The bar above the captions: text size, copy, download, clear.

import { preferences } from "./preferences.js";

/** Sizes of captions, in rem. */
const SIZES = [1, 1.25, 1.6, 2, 2.5, 3.2, 4, 5, 6.5];
const USUAL_SIZE = 3;
/** How long the copy button says that it has copied. */
const COPIED_MILLISECONDS = 2000;

export class Toolbar {
  /** Called when the user clears the transcript. */
  onclear = () => {};

  constructor(page, transcript) {
    this.page = page;
    this.transcript = transcript;
    const narrow = matchMedia("(max-width: 44rem)").matches ? 1 : 0;
    this.#resize(Number.isNaN(preferences.size) ? USUAL_SIZE - narrow : preferences.size);
    page.smaller.addEventListener("click", () => this.#choose(this.size - 1));
    page.larger.addEventListener("click", () => this.#choose(this.size + 1));
    page.copy.addEventListener("click", () => this.#copy());
    page.clear.addEventListener("click", () => this.onclear());
    this.#listenToMenu(page.download);
    this.refresh();
  }

  /** Enables what the transcript allows. */
  refresh() {
    const { copy, clear, download } = this.page;
    copy.disabled = clear.disabled = this.transcript.empty;
    download.classList.toggle("empty", this.transcript.empty);
    const summary = download.querySelector("summary");
    summary.setAttribute("aria-disabled", String(this.transcript.empty));
    if (this.transcript.empty) download.open = false;
  }

  #choose(size) {
    this.#resize(size);
    preferences.size = this.size;
  }

  #resize(size) {
    this.size = Math.max(0, Math.min(SIZES.length - 1, size));
    document.documentElement.style.setProperty("--size", `${SIZES[this.size]}rem`);
    // `aria-disabled` leaves the focus on a button that has reached its end.
    this.page.smaller.setAttribute("aria-disabled", String(this.size === 0));
    this.page.larger.setAttribute("aria-disabled", String(this.size === SIZES.length - 1));
  }

  async #copy() {
    const { copy } = this.page;
    try {
      await navigator.clipboard.writeText(this.transcript.text);
      copy.textContent = "Copied";
    } catch {
      copy.textContent = "Not allowed";
    }
    clearTimeout(this.copied);
    this.copied = setTimeout(() => (copy.textContent = "Copy"), COPIED_MILLISECONDS);
  }

  #listenToMenu(menu) {
    const summary = menu.querySelector("summary");
    summary.addEventListener("click", (event) => this.transcript.empty && event.preventDefault());
    menu.addEventListener("click", ({ target }) => {
      const format = target.dataset.format;
      if (!format) return;
      this.#save(format);
      menu.open = false;
      summary.focus();
    });
    menu.addEventListener("keydown", ({ key }) => {
      if (key !== "Escape" || !menu.open) return;
      menu.open = false;
      summary.focus();
    });
    document.addEventListener("click", ({ target }) => {
      if (!menu.contains(target)) menu.open = false;
    });
    menu.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget && !menu.contains(relatedTarget)) menu.open = false;
    });
  }

  #save(format) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(this.transcript.file(format));
    link.download = `captions-${localTime()}.${format}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }
}

/** The local date and time, in characters that every file system takes. */
function localTime() {
  const now = new Date();
  const two = (value) => String(value).padStart(2, "0");
  const date = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join("-");
  return `${date}-${two(now.getHours())}${two(now.getMinutes())}`;
}
