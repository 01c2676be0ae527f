// Live captions in a page: starts and stops sessions, and shows what they report.

import { askForToken } from "./access.js";
import { Captions } from "./captions.js";
import { listMicrophones } from "./microphone.js";
import { Panel } from "./panel.js";
import { preferences } from "./preferences.js";
import { Session } from "./session.js";
import { Toolbar } from "./toolbar.js";
import { Transcript } from "./transcript.js";

/** The page's elements by their `id`, in camel case. */
const page = Object.fromEntries(
  [...document.querySelectorAll("[id]")].map((element) => [element.id.replace(/-(\w)/g, (_, letter) => letter.toUpperCase()), element]),
);
const transcript = new Transcript();
const captions = new Captions(page);
const panel = new Panel(page);
const toolbar = new Toolbar(page, transcript);
let session;
/** Whether a new session is to follow the one that ends. */
let restarting = false;
let awake;

/** Begins a session. */
function start() {
  restarting = false;
  panel.clear();
  session = new Session({ device: preferences.device, token: preferences.token, start: transcript.length });
  session.onstate = (state) => (panel.state = state);
  session.onlevel = (peak) => (panel.level = peak);
  session.onwarning = (name, holds, details) => panel.warn(name, holds, details);
  session.onpartial = (text) => (captions.partial = text);
  session.onfinal = (final, origin) => addFinal(final, origin);
  session.onmicrophone = async (microphone) => {
    captions.listening = true;
    await showMicrophones(microphone.id);
    await keepAwake();
  };
  session.onend = (failure, details) => end(failure, details);
  session.run();
}

function addFinal(final, origin) {
  transcript.add(final, origin);
  captions.add(final.text);
  toolbar.refresh();
}

/** Ends a session; a server that demands a token gets it in a new one. */
async function end(failure, details) {
  transcript.length = session.end;
  session = undefined;
  captions.listening = false;
  awake?.release();
  awake = undefined;
  panel.state = failure ? "failed" : "ready";
  if (failure === "unauthorized" && (await renewToken())) start();
  else if (failure) panel.fail(failure, details);
  else if (restarting) start();
}

async function renewToken() {
  const token = await askForToken(page, { rejected: preferences.token !== "" });
  preferences.token = token ?? "";
  return token;
}

async function toggle() {
  if (page.toggle.getAttribute("aria-disabled") === "true") return;
  if (session) await session.stop();
  else start();
}

/** Lists the microphones, `chosen` selected. Browsers name them once the user has allowed one. */
async function showMicrophones(chosen = preferences.device) {
  const microphones = (await listMicrophones()).filter(({ label }) => label);
  const options = microphones.map(({ id, label }) => new Option(label, id, false, id === chosen));
  const known = microphones.some(({ id }) => id === chosen);
  page.device.replaceChildren(new Option("Default microphone", "", !known, !known), ...options);
}

/** Goes on with the microphone now chosen. */
async function chooseMicrophone() {
  preferences.device = page.device.value;
  if (!session) return;
  restarting = true;
  await session.stop();
}

/** Keeps the screen on while captions run, where the browser can. */
async function keepAwake() {
  if (!session || document.hidden) return;
  try {
    const lock = await navigator.wakeLock?.request("screen");
    if (session) awake = lock;
    else lock?.release();
  } catch {
    // Captions go on; the screen may go dark.
  }
}

function clear() {
  transcript.clear(session?.end);
  captions.clear();
  toolbar.refresh();
  page.toggle.focus();
}

page.host.textContent = location.host;
page.toggle.addEventListener("click", toggle);
page.device.addEventListener("change", chooseMicrophone);
toolbar.onclear = clear;
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat || page.access.open) return;
  event.preventDefault();
  toggle();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden || !session) return;
  session.resume();
  keepAwake();
});
window.addEventListener("beforeunload", (event) => session && event.preventDefault());

if (!window.isSecureContext) {
  panel.state = "failed";
  panel.fail("insecure");
} else if (navigator.mediaDevices) {
  navigator.mediaDevices.addEventListener("devicechange", () => showMicrophones(page.device.value));
  showMicrophones();
}
