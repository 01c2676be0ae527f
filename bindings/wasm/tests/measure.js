// Recognizes a recording and measures it, in Node and in browsers.

/** Samples of a call, as a microphone's worklet gives them. */
const BLOCK = 1024;

/**
 * Loads the package `mynah` and recognizes mono samples at 16 kHz. `wasm` is what `init` of the package takes.
 * Gives the text of finals, a line each, the seconds of start-up, the real-time factor, the longest call in seconds,
 * the seconds of each stage and the module's memory in bytes.
 */
export async function measure({ default: init, Recognizer }, wasm, samples, options) {
  const begin = performance.now();
  const { memory } = await init({ module_or_path: wasm });
  const compiled = performance.now();
  const recognizer = new Recognizer(options);
  const started = performance.now();
  const stream = recognizer.stream(16000);
  const finals = [];
  let longest = 0;
  for (let at = 0; at <= samples.length; at += BLOCK) {
    const before = performance.now();
    const isLast = at + BLOCK > samples.length;
    const events = stream.accept(samples.subarray(at, at + BLOCK));
    if (isLast) events.push(...stream.flush());
    longest = Math.max(longest, performance.now() - before);
    finals.push(...events.filter(({ type }) => type === "final"));
  }
  return {
    text: finals.map(({ text }) => text).join("\n"),
    formatted: finals.map(({ formatted }) => formatted).join("\n"),
    compileSeconds: (compiled - begin) / 1000,
    startUpSeconds: (started - begin) / 1000,
    realTimeFactor: (performance.now() - started) / 1000 / (samples.length / 16000),
    longestCallSeconds: longest / 1000,
    stages: stream.stageTimes(),
    memoryBytes: memory.buffer.byteLength,
  };
}
