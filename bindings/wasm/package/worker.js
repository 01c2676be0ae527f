// A recognizer in a worker, so that the page stays responsive.
//
// In:  { options }     first: what the recognizer is made with
//      { sampleRate }  begins a stream
//      { samples }     a Float32Array of the stream
//      { finish }      ends the stream
// Out: { ready }, { events, seconds } for samples, with the seconds of audio recognized so far, { finished }, { error }

import init, { Recognizer } from "./mynah.js";

let recognizer;
let stream;
let sampleRate;
let samples;

async function load(options) {
  await init();
  recognizer = new Recognizer(options);
  return { ready: true };
}

function begin(rate) {
  stream?.free();
  [stream, sampleRate, samples] = [recognizer.stream(rate), rate, 0];
}

function recognize(block) {
  const events = stream.accept(block);
  samples += block.length;
  return { events, seconds: samples / sampleRate };
}

async function answer(message) {
  if ("options" in message) return load(message.options);
  if (message.sampleRate) return begin(message.sampleRate);
  if (message.samples) return recognize(message.samples);
  if (message.finish) return { events: stream.flush(), seconds: samples / sampleRate, finished: true };
  throw new Error(`no such message: ${Object.keys(message)}`);
}

// One message after the other: the first waits for the module.
let last = Promise.resolve();
onmessage = ({ data }) => {
  last = last
    .then(() => answer(data))
    .then((reply) => reply && postMessage(reply))
    .catch((error) => postMessage({ error: String(error) }));
};
