// The page: a microphone's samples to the worker, its events to text.

/** Seconds of audio that may wait before the page says that the computer is too slow. */
const SLOW_SECONDS = 3;

const [toggle, state, finals, partial] = ["toggle", "state", "finals", "partial"].map((id) => document.getElementById(id));
const worker = new Worker("worker.js", { type: "module" });
let microphone;
let captured = 0;

/** `ready`, `listening` and so on, for style sheets and tests. */
function show(name, text) {
  state.dataset.state = name;
  state.textContent = text;
}

function fail(error) {
  show("failed", error.message ?? String(error));
  toggle.disabled = true;
}

worker.onerror = fail;
worker.onmessage = ({ data }) => {
  if (data.error) return fail(data.error);
  if (data.ready) {
    toggle.disabled = false;
    return show("ready", "Ready");
  }
  data.events.forEach(caption);
  if (data.finished) {
    toggle.disabled = false;
    return show("ready", "Ready");
  }
  const late = captured - data.seconds;
  if (late > SLOW_SECONDS) show("slow", `This computer is ${Math.round(late)} s late`);
  else if (microphone) show("listening", "Listening");
};

/** Finals become paragraphs; a partial replaces the one before. */
function caption({ type, formatted }) {
  if (type === "partial") {
    partial.textContent = formatted;
    return;
  }
  partial.textContent = "";
  finals.append(Object.assign(document.createElement("p"), { textContent: formatted }));
  finals.lastElementChild.scrollIntoView();
}

async function open() {
  // The recognizer is trained on sound as microphones give it.
  const audio = { channelCount: { ideal: 1 }, echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const stream = await navigator.mediaDevices.getUserMedia({ audio });
  const context = new AudioContext();
  try {
    return { stream, context, node: await connect(stream, context) };
  } catch (error) {
    close(stream, context);
    throw error;
  }
}

function close(stream, context) {
  for (const track of stream.getTracks()) track.stop();
  context.close();
}

async function connect(stream, context) {
  await context.audioWorklet.addModule("capture.js");
  const node = new AudioWorkletNode(context, "capture", { numberOfOutputs: 1, outputChannelCount: [1] });
  captured = 0;
  worker.postMessage({ sampleRate: context.sampleRate });
  node.port.onmessage = ({ data: samples }) => {
    if (!samples) return worker.postMessage({ finish: true });
    captured += samples.length / context.sampleRate;
    worker.postMessage({ samples }, [samples.buffer]);
  };
  context.createMediaStreamSource(stream).connect(node);
  // The worklet's output is silence; a node that leads nowhere is not run by every browser.
  node.connect(context.destination);
  return node;
}

async function start() {
  toggle.disabled = true;
  try {
    microphone = await open();
    toggle.textContent = "Stop";
    show("listening", "Listening");
  } catch (error) {
    show("ready", `No microphone: ${error.message}`);
  }
  toggle.disabled = false;
}

function stop() {
  const { stream, context, node } = microphone;
  const { onmessage } = node.port;
  microphone = undefined;
  toggle.textContent = "Start";
  toggle.disabled = true;
  show("finishing", "Recognizing the rest");
  node.port.onmessage = (message) => {
    onmessage(message);
    if (message.data) return;
    close(stream, context);
  };
  node.port.postMessage("flush");
}

toggle.onclick = () => (microphone ? stop() : start());
// `?finals=second-pass` in the page's address: fewer errors, more computing.
worker.postMessage({ options: { finals: new URLSearchParams(location.search).get("finals") ?? undefined } });
