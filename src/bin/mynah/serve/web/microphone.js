// A microphone of this computer, as blocks of 16-bit PCM at the device's own rate.

/** Milliseconds that the audio thread may take to hand over its last block. */
const FLUSH_MILLISECONDS = 300;
/** Milliseconds that the browser's audio may take to start. */
const START_MILLISECONDS = 5000;

/** The microphones as `{ id, label }`. Labels are empty before the user has allowed one. */
export async function listMicrophones() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices
    .filter((device) => device.kind === "audioinput" && device.deviceId !== "default" && device.deviceId !== "communications")
    .map((device) => ({ id: device.deviceId, label: device.label }));
}

function failure(name, message, cause) {
  return Object.assign(new Error(message, { cause }), { name });
}

/** An open microphone. `close` releases it. */
export class Microphone {
  /** Called with `(samples: Int16Array, peak: 0..1)` per block. */
  onblock = () => {};
  /** Called once if the device goes away. */
  onlost = () => {};
  /** Called with whether the browser has paused the audio. */
  onpause = () => {};

  /**
   * Opens the microphone `id`, or the default one where `id` is empty or no longer there. Throws the `DOMException` of
   * `getUserMedia` if the user denies it or the device does not open, a
   * `ModuleError` if the server does not give `capture.js`, and a `StalledError` if the browser's audio does not start.
   */
  static async open(id) {
    const microphone = new Microphone();
    // The recognizer is trained on sound as microphones give it.
    const audio = { channelCount: { ideal: 1 }, echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    if (id) audio.deviceId = { ideal: id };
    microphone.stream = await navigator.mediaDevices.getUserMedia({ audio });
    try {
      await microphone.#start();
    } catch (error) {
      await microphone.close();
      throw error;
    }
    return microphone;
  }

  /** Samples per second. */
  get sampleRate() {
    return this.context.sampleRate;
  }

  get id() {
    return this.track.getSettings().deviceId ?? "";
  }

  async #start() {
    [this.track] = this.stream.getAudioTracks();
    const { sampleRate } = this.track.getSettings();
    this.context = new AudioContext(sampleRate ? { sampleRate } : {});
    await this.context.audioWorklet.addModule("capture.js").catch((cause) => {
      throw failure("ModuleError", "capture.js did not load", cause);
    });
    this.node = new AudioWorkletNode(this.context, "capture", { numberOfInputs: 1, numberOfOutputs: 1, outputChannelCount: [1] });
    this.node.port.onmessage = ({ data }) => (data.flushed ? this.flushed?.() : this.onblock(data.samples, data.peak));
    this.track.onended = () => this.onlost();
    this.context.onstatechange = () => this.closing || this.onpause(this.context.state !== "running");
    this.context.createMediaStreamSource(this.stream).connect(this.node);
    // The worklet's output is silence; a node that leads nowhere is not run by every browser.
    this.node.connect(this.context.destination);
    await Promise.race([this.context.resume(), new Promise((resolve) => setTimeout(resolve, START_MILLISECONDS))]);
    if (this.context.state !== "running") throw failure("StalledError", "the audio context did not start");
  }

  /** Asks the browser to go on after it has paused the audio. */
  async resume() {
    await this.context.resume();
  }

  /** Passes on the block begun and releases the device. */
  async close() {
    this.closing = true;
    if (this.node && this.context.state === "running") {
      await new Promise((resolve) => {
        this.flushed = resolve;
        setTimeout(resolve, FLUSH_MILLISECONDS);
        this.node.port.postMessage("flush");
      });
    }
    this.onblock = () => {};
    for (const track of this.stream.getTracks()) track.stop();
    await this.context?.close();
  }
}
