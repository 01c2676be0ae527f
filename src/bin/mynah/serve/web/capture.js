// The worklet that turns the microphone's samples into blocks of 16-bit PCM.

/** Seconds of audio in a block. */
const BLOCK_SECONDS = 0.064;

/**
 * Mixes its input to one channel and posts `{ samples: Int16Array, peak }` for each block, with the peak from 0 to 1.
 * The message `"flush"` posts the block begun, then `{ flushed: true }`.
 */
class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.ended = false;
    this.start();
    this.port.onmessage = () => {
      this.post();
      this.ended = true;
      this.port.postMessage({ flushed: true });
    };
  }

  start() {
    this.block = new Int16Array(Math.round(sampleRate * BLOCK_SECONDS));
    this.length = 0;
    this.peak = 0;
  }

  process([channels]) {
    const frames = channels[0]?.length ?? 0;
    for (let frame = 0; frame < frames; frame++) {
      let sum = 0;
      for (const channel of channels) sum += channel[frame];
      this.push(sum / channels.length);
    }
    return !this.ended;
  }

  push(sample) {
    this.peak = Math.max(this.peak, Math.abs(sample));
    this.block[this.length++] = Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));
    if (this.length === this.block.length) this.post();
  }

  post() {
    if (this.length === 0) return;
    const samples = this.block.slice(0, this.length);
    this.port.postMessage({ samples, peak: Math.min(this.peak, 1) }, [samples.buffer]);
    this.start();
  }
}

registerProcessor("capture", Capture);
