// The panel below the captions: the state in words, the notice, the level and the button.

import { FAILURES, STATES, WARNINGS } from "./messages.js";

/** Decibels below full scale at which the meter begins. */
const METER_FLOOR = -60;
/** The meter's value for assistive technology changes at most so often, in milliseconds. */
const METER_MILLISECONDS = 500;
/** Words on the button, where it does not start. */
const STOPPING = { finishing: "Don’t wait" };
const RUNNING = new Set(["connecting", "listening", "reconnecting"]);

export class Panel {
  #warnings = new Map();
  #read = 0;

  constructor(page) {
    this.page = page;
  }

  /** Shows a state of `messages.js`. */
  set state(name) {
    const { text, tone = "" } = STATES[name];
    const { state, toggle, toggleLabel } = this.page;
    state.dataset.state = name;
    state.dataset.tone = tone;
    state.textContent = text;
    document.title = name === "ready" ? "Mynah – live captions" : `${text} – Mynah`;
    toggle.classList.toggle("on", RUNNING.has(name) || name === "finishing");
    toggleLabel.textContent = STOPPING[name] ?? (RUNNING.has(name) ? "Stop" : "Start");
    toggle.setAttribute("aria-disabled", String(name === "asking"));
  }

  /** Shows the peak of a block, from 0 to 1. */
  set level(peak) {
    const { level } = this.page;
    const share = peak > 0 ? Math.max(0, 1 - (20 * Math.log10(peak)) / METER_FLOOR) : 0;
    level.style.setProperty("--level", share.toFixed(3));
    level.classList.toggle("clipped", peak >= 0.999);
    if (peak === 0 || performance.now() - this.#read > METER_MILLISECONDS) {
      this.#read = performance.now();
      level.setAttribute("aria-valuenow", String(Math.round(share * 100)));
    }
  }

  /** Shows a warning while it holds. */
  warn(name, holds, details) {
    if (!holds && !this.#warnings.has(name)) return;
    if (holds) this.#warnings.set(name, WARNINGS[name](details));
    else this.#warnings.delete(name);
    const [warning] = this.#warnings.values();
    this.#show(warning);
  }

  /** Shows a failure until the next start, and leads the focus there from the button. */
  fail(name, details) {
    this.#warnings.clear();
    this.#show(FAILURES[name](details), "bad");
    if (document.activeElement === this.page.toggle) this.page.notice.focus({ preventScroll: true });
  }

  /** Removes failures and warnings. */
  clear() {
    this.#warnings.clear();
    this.#show();
  }

  #show(message, tone = "") {
    const { notice, noticeTitle, noticeAdvice } = this.page;
    notice.hidden = !message;
    notice.classList.toggle("bad", tone === "bad");
    if (!message) return;
    // Unchanged text is left alone, so that a reader's selection stays.
    if (noticeTitle.textContent !== message.title) noticeTitle.textContent = message.title;
    if (noticeAdvice.textContent !== message.advice) noticeAdvice.textContent = message.advice;
  }
}
