// What the page says of its states and of failures.

const seconds = (value) => `${Math.max(1, Math.round(value))} s`;

/** The words and the tone (`good`, `wait`, `bad`, or none) of each state. */
export const STATES = {
  ready: { text: "Ready" },
  asking: { text: "Waiting for the microphone: allow it in the browser’s question", tone: "wait" },
  connecting: { text: "Connecting to the server", tone: "wait" },
  listening: { text: "Listening", tone: "good" },
  reconnecting: { text: "Connection lost. Reconnecting; speech is kept meanwhile", tone: "wait" },
  finishing: { text: "Stopped. Waiting for the last words", tone: "wait" },
  failed: { text: "Not listening", tone: "bad" },
};

/** Failures that end a recording: what happened, and what to do. */
export const FAILURES = {
  insecure: () => ({
    title: "The browser gives this page no microphone, because its address is not secure",
    advice: `Open the page on the computer that runs the server, as http://localhost:${location.port || 80}/, or serve it over HTTPS.`,
  }),
  unsupported: () => ({
    title: "This browser cannot record audio for a page",
    advice: "Use a current Firefox, Chrome, Edge or Safari.",
  }),
  denied: () => ({
    title: "The microphone is not allowed",
    advice: "Allow the microphone for this page, by the icon beside the address or in the browser’s settings, then press Start again.",
  }),
  missing: () => ({ title: "No microphone was found", advice: "Connect one, then press Start again." }),
  busy: () => ({
    title: "The microphone does not open",
    advice: "Another program may use it, or the system may forbid it to the browser. Close that program or allow it, then press Start again.",
  }),
  stalled: () => ({
    title: "The browser’s audio does not start",
    advice: "Some browsers need an audio output, though the page plays nothing. Connect a loudspeaker or headphones, then press Start again.",
  }),
  unplugged: () => ({
    title: "The microphone was disconnected",
    advice: "What was recognized is kept. Connect it again or choose another one, then press Start.",
  }),
  unreachable: () => ({
    title: "The server does not answer",
    advice: "Check that mynah serve is running at this address, then press Start again.",
  }),
  busyServer: () => ({
    title: "The server did not begin a stream",
    advice: "It probably serves as many as it can. Press Start again in a while.",
  }),
  lost: ({ unrecognized, reason }) => ({
    title: `The connection to the server was lost and did not come back${reason ? `: ${reason}` : ""}`,
    advice: `What was recognized is kept. The last ${seconds(unrecognized)} of sound were not recognized. Press Start to try again.`,
  }),
  refused: ({ reason }) => ({ title: "The server refused", advice: reason || "It gave no reason." }),
  unauthorized: () => ({ title: "The server asks for a token", advice: "Press Start and enter the token that whoever runs the server gave you." }),
  incomplete: ({ unrecognized }) => ({
    title: "The server did not send the last words",
    advice: `What was recognized is kept. The last ${seconds(unrecognized)} of sound may be missing.`,
  }),
};

/** Warnings while listening goes on. */
export const WARNINGS = {
  behind: ({ waiting }) => ({
    title: `The server is slow: ${seconds(waiting)} of sound are waiting for it`,
    advice: "Captions come late. No sound is lost.",
  }),
  silent: () => ({
    title: "The microphone gives no sound",
    advice: "It may be muted, or another one may be meant.",
  }),
  paused: () => ({
    title: "The browser has paused the microphone",
    advice: "Sound is not recorded while this lasts. Bring this page to the front.",
  }),
  displaced: ({ seconds: lost }) => ({
    title: `${seconds(lost)} of sound were lost while the server was away`,
    advice: "The page keeps the last minute. What was recognized before is kept.",
  }),
};
