// Audio that no final result covers yet: it is sent again after the connection was lost.

export class Backlog {
  #blocks = [];
  #length = 0;

  /** Keeps at most `seconds` of audio. The first sample is at `start` seconds of the transcript. */
  constructor(sampleRate, start, seconds) {
    this.sampleRate = sampleRate;
    this.limit = seconds * sampleRate;
    /** When the audio kept begins, in seconds of the transcript. */
    this.start = start;
  }

  /** When the audio ends, in seconds of the transcript. */
  get end() {
    return this.start + this.#length / this.sampleRate;
  }

  /** The audio kept, as blocks of Int16Array. */
  get blocks() {
    return [...this.#blocks];
  }

  /** Appends a block, and returns how many seconds at the front it displaced. */
  push(block) {
    this.#blocks.push(block);
    this.#length += block.length;
    const excess = Math.max(0, this.#length - this.limit);
    this.#drop(excess);
    return excess / this.sampleRate;
  }

  /** Forgets the audio before `time`, in seconds of the transcript. */
  release(time) {
    this.#drop(Math.round((time - this.start) * this.sampleRate));
  }

  #drop(samples) {
    let rest = Math.min(samples, this.#length);
    if (rest <= 0) return;
    this.start += rest / this.sampleRate;
    this.#length -= rest;
    while (rest > 0 && this.#blocks[0].length <= rest) rest -= this.#blocks.shift().length;
    if (rest > 0) this.#blocks[0] = this.#blocks[0].subarray(rest);
  }
}
