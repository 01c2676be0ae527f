// One recording: carries the microphone's audio to the server and its results to the page, over lost connections.

import { Backlog } from "./backlog.js";
import { Connection } from "./connection.js";
import { Microphone } from "./microphone.js";

/** Seconds of audio without a final that are kept for a new connection. */
const KEPT_SECONDS = 120;
/** Seconds before each attempt to connect again. */
const RETRY_SECONDS = [0.5, 1, 2, 4, 8, 15];
/** Seconds that the server may be silent after the end of the audio. */
const LAST_WORDS_SECONDS = 60;
/** Audio that waits for the server, in seconds: a warning appears above the first and goes below the second. */
const BEHIND_SECONDS = { from: 2, until: 0.5 };
/** A peak below this is the digital silence of a muted microphone. */
const SILENT_PEAK = 1e-4;
const SILENT_SECONDS = 6;

/** What `Microphone.open` throws, as names of failures. */
const MICROPHONE_FAILURES = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  ModuleError: "unreachable",
  StalledError: "stalled",
};

export class Session {
  /** Called with a state of `messages.js`. */
  onstate = () => {};
  /** Called with the text of the utterances without a final. */
  onpartial = () => {};
  /** Called with a final and the time at which its connection's audio began, in seconds. */
  onfinal = () => {};
  /** Called with the peak of each block, from 0 to 1. */
  onlevel = () => {};
  /** Called with a warning of `messages.js`, whether it holds, and its details. */
  onwarning = () => {};
  /** Called once at the end with a failure of `messages.js` and its details, or without any. */
  onend = () => {};
  /** Called when the microphone is open. */
  onmicrophone = () => {};

  #attempt = 0;
  #accepted = false;
  #stopping = false;
  /** Whether the microphone has given its last block. */
  #recorded = false;
  #over = false;
  #quiet = 0;

  /** The audio begins at `start` seconds of the transcript. */
  constructor({ device, token, start }) {
    Object.assign(this, { device, token, start });
  }

  /** Seconds of the transcript at the end of the audio recorded. */
  get end() {
    return this.backlog?.end ?? this.start;
  }

  /** Opens the microphone, then the connection. */
  async run() {
    if (!window.isSecureContext) return this.#end("insecure");
    if (!navigator.mediaDevices?.getUserMedia || !window.AudioWorkletNode) return this.#end("unsupported");
    this.onstate("asking");
    try {
      this.microphone = await Microphone.open(this.device);
    } catch (error) {
      return this.#end(MICROPHONE_FAILURES[error.name] ?? "busy");
    }
    this.backlog = new Backlog(this.microphone.sampleRate, this.start, KEPT_SECONDS);
    this.microphone.onblock = (samples, peak) => this.#record(samples, peak);
    this.microphone.onlost = () => this.#finish("unplugged");
    this.microphone.onpause = (paused) => this.onwarning("paused", paused);
    this.onmicrophone(this.microphone);
    this.#connect();
  }

  /** Stops recording and waits for the last words. A second call doesn't wait. */
  async stop() {
    if (this.#stopping) this.#end("incomplete", this.#unrecognized());
    else await this.#finish();
  }

  /** Asks the browser for audio again after the page was in the background. */
  async resume() {
    if (!this.#stopping) await this.microphone?.resume();
  }

  #record(samples, peak) {
    const displaced = this.backlog.push(samples);
    if (this.connection?.isOpen) this.connection.send(samples);
    else if (displaced > 0) this.#displace(displaced);
    this.onlevel(peak);
    this.#watch(samples.length / this.microphone.sampleRate, peak);
  }

  /** Warns of a slow server and of a muted microphone. */
  #watch(duration, peak) {
    const waiting = this.connection?.isOpen ? this.connection.waiting : 0;
    if (waiting > BEHIND_SECONDS.from) this.onwarning("behind", true, { waiting });
    else if (waiting < BEHIND_SECONDS.until) this.onwarning("behind", false);
    this.#quiet = peak < SILENT_PEAK ? this.#quiet + duration : 0;
    this.onwarning("silent", this.#quiet >= SILENT_SECONDS);
  }

  #displace(seconds) {
    this.displaced = (this.displaced ?? 0) + seconds;
    this.onwarning("displaced", true, { seconds: this.displaced });
  }

  #connect() {
    if (this.#over) return;
    this.onstate(this.#accepted ? "reconnecting" : "connecting");
    const connection = new Connection(this.microphone.sampleRate, this.token);
    this.connection = connection;
    connection.onopen = () => this.#opened(connection);
    connection.onpartial = (text) => {
      if (text !== this.partial) this.#show(text);
      if (this.#recorded) this.#expect();
    };
    connection.onfinal = (final) => this.#take(final);
    connection.onclose = (end) => this.#closed(end);
  }

  #opened(connection) {
    this.#accepted = true;
    this.origin = this.backlog.start;
    for (const block of this.backlog.blocks) connection.send(block);
    if (this.#recorded) this.#sendEnd();
    else if (!this.#stopping) this.onstate("listening");
  }

  #take(final) {
    this.#attempt = 0;
    this.#show("");
    if (final.words.length > 0) this.backlog.release(this.origin + final.words.at(-1).end);
    this.onfinal(final, this.origin);
  }

  async #finish(failure) {
    if (this.#over || this.#stopping) return;
    this.#stopping = true;
    this.failure = failure;
    this.onstate("finishing");
    await this.microphone.close();
    this.#recorded = true;
    for (const warning of ["behind", "silent", "paused"]) this.onwarning(warning, false);
    if (this.connection.isOpen) this.#sendEnd();
  }

  #sendEnd() {
    this.onstate("finishing");
    this.connection.finish();
    this.#expect();
  }

  /** Ends the wait for last words when none come. */
  #expect() {
    clearTimeout(this.deadline);
    this.deadline = setTimeout(() => this.#end("incomplete", this.#unrecognized()), LAST_WORDS_SECONDS * 1000);
  }

  async #closed({ finished, refused, reason }) {
    if (finished) return this.#end(this.failure);
    if (refused) return this.#end("refused", { reason });
    if (!this.#accepted) return this.#end(...(await Connection.explainRefusal(this.token)));
    const delay = RETRY_SECONDS[this.#attempt++];
    if (delay === undefined) return this.#end("lost", { ...this.#unrecognized(), reason });
    // Of a server far behind, the audio kept does not reach back to what was recognized last.
    const lost = this.connection.waiting - (this.backlog.end - this.backlog.start);
    if (lost > 0) this.#displace(lost);
    this.onstate("reconnecting");
    this.retry = setTimeout(() => this.#connect(), delay * 1000);
  }

  #show(partial) {
    this.partial = partial;
    this.onpartial(partial);
  }

  /** Where no final will come, the partial stays in its place. */
  #keepPartial() {
    if (!this.partial) return;
    const { start, end } = this.backlog;
    const text = `${this.partial}…`;
    const words = text.split(" ");
    const time = (index) => start + ((end - start) * index) / words.length;
    this.onfinal({ text, words: words.map((word, index) => ({ text: word, start: time(index), end: time(index + 1) })) }, 0);
    this.#show("");
  }

  #unrecognized() {
    return { unrecognized: this.backlog.end - this.backlog.start };
  }

  async #end(failure, details = {}) {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.deadline);
    clearTimeout(this.retry);
    this.connection?.abandon();
    if (this.microphone && !this.#stopping) await this.microphone.close();
    this.#keepPartial();
    this.onlevel(0);
    this.onend(failure, details);
  }
}
