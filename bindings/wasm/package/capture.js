// The worklet that collects the microphone's samples.

/** Seconds of audio in a block. */
const BLOCK_SECONDS = 0.064;

/** Mixes its input to one channel and posts a Float32Array for each block. The message `"flush"` posts the rest and then null. */
class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.ended = false;
    this.start();
    this.port.onmessage = () => {
      this.ended = true;
      this.post();
      this.port.postMessage(null);
    };
  }

  start() {
    this.block = new Float32Array(Math.round(sampleRate * BLOCK_SECONDS));
    this.length = 0;
  }

  process([channels]) {
    const frames = this.ended ? 0 : (channels[0]?.length ?? 0);
    for (let frame = 0; frame < frames; frame++) {
      let sum = 0;
      for (const channel of channels) sum += channel[frame];
      this.block[this.length++] = sum / channels.length;
      if (this.length === this.block.length) this.post();
    }
    return !this.ended;
  }

  post() {
    const samples = this.block.slice(0, this.length);
    this.port.postMessage(samples, [samples.buffer]);
    this.start();
  }
}

registerProcessor("capture", Capture);
