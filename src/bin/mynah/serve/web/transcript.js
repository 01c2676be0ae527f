// The finals of all recordings since the transcript was cleared.

import { toSrt, toVtt } from "./subtitles.js";

/** File types that the transcript is downloaded as. */
const FORMATS = {
  txt: { type: "text/plain", write: (transcript) => transcript.text },
  srt: { type: "application/x-subrip", write: (transcript) => toSrt(transcript.finals) },
  vtt: { type: "text/vtt", write: (transcript) => toVtt(transcript.finals) },
};

export class Transcript {
  /** `{ text, words: [{ text, start, end }] }`, in seconds of the audio recorded. */
  finals = [];
  /** Seconds of audio recorded so far: where the next recording begins. */
  length = 0;
  /** Where the transcript was cleared: its times count from there. */
  #cleared = 0;

  get empty() {
    return this.finals.length === 0;
  }

  /** The finals, one a line. */
  get text() {
    return this.finals.map((final) => `${final.text}\n`).join("");
  }

  /** Appends a final of a connection whose audio began at `origin` seconds of the audio recorded. */
  add({ text, words }, origin) {
    const time = (seconds) => Math.max(0, origin + seconds - this.#cleared);
    this.finals.push({ text, words: words.map((word) => ({ text: word.text, start: time(word.start), end: time(word.end) })) });
  }

  /** Forgets the finals at `now` seconds of the audio recorded. */
  clear(now = this.length) {
    this.finals = [];
    this.#cleared = now;
  }

  /** The transcript as a file of a format: `txt`, `srt` or `vtt`. */
  file(format) {
    const { type, write } = FORMATS[format];
    return new Blob([write(this)], { type: `${type};charset=utf-8` });
  }
}
