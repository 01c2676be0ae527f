// One connection to the server, in the protocol that docs/server.md describes. Each block of audio has one answer, so that the
// page knows how far the server is behind.

/** Close codes by which the server refuses what it was sent; after others it may accept a new connection. */
const REFUSALS = new Set([1002, 1003, 1007, 1009, 1010]);
/** The close code for limits: those of one stream leave a new one possible, if this one gave results. */
const LIMIT = 1008;

export class Connection {
  /** Called when the server has accepted the connection. */
  onopen = () => {};
  /** Called with the text of the utterance so far, for each block. */
  onpartial = () => {};
  /** Called with `{ text, words: [{ text, start, end }] }`, in seconds of this connection's audio. */
  onfinal = () => {};
  /** Called once at the end with whether all results came, whether the server refuses, and its reason if it gave one. */
  onclose = () => {};

  #ended = false;
  #finals = 0;
  /** The lengths of the blocks that have no answer yet, in samples, the oldest first. */
  #unanswered = [];
  #reason = "";

  /** Connects to `/ws` of the page's own server. */
  constructor(sampleRate, token) {
    const url = new URL("ws", location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    // A browser's WebSocket sends no headers of the page's choice.
    if (token) url.search = `access_token=${encodeURIComponent(token)}`;
    this.sampleRate = sampleRate;
    this.socket = new WebSocket(url);
    this.socket.onopen = () => {
      this.#write({ config: { sample_rate: sampleRate, formatted: true, words: true } });
      this.onopen();
    };
    this.socket.onmessage = ({ data }) => this.#read(JSON.parse(data));
    this.socket.onclose = ({ code, reason, wasClean }) => {
      const refused = REFUSALS.has(code) || (code === LIMIT && this.#finals === 0);
      this.onclose({ finished: this.#ended && wasClean && !refused, refused, reason: this.#reason || reason });
    };
  }

  /** Whether audio can be sent. */
  get isOpen() {
    return this.socket.readyState === WebSocket.OPEN;
  }

  /** Seconds of audio that wait for recognition: in the browser, on the way, and in the server. */
  get waiting() {
    return this.#unanswered.reduce((sum, samples) => sum + samples, 0) / this.sampleRate;
  }

  /** Sends a block of 16-bit samples. */
  send(samples) {
    if (!this.isOpen) return;
    this.#unanswered.push(samples.length);
    this.socket.send(samples);
  }

  /** Ends the audio. The last final follows, then `onclose`. */
  finish() {
    this.#ended = true;
    this.#write({ eof: 1 });
  }

  /** Closes without waiting for results, and calls nothing any more. */
  abandon() {
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
  }

  /** Why the server did not accept a connection: the name of a failure of `messages.js`, and its details. */
  static async explainRefusal(token) {
    // A WebSocket does not give the status and the reason of a refusal. A request that names the page's origin, as POST does,
    // is refused for the same reasons.
    let response;
    try {
      response = await fetch("ws", { method: "POST", headers: token ? { Authorization: `Bearer ${token}` } : {} });
    } catch {
      return ["unreachable"];
    }
    if (response.status === 401) return ["unauthorized"];
    // The method is all that is wrong with it: it is the number of streams that is not checked here.
    if (response.status === 405) return ["busyServer"];
    return ["refused", { reason: errorOf(await response.text()) }];
  }

  #write(message) {
    if (this.isOpen) this.socket.send(JSON.stringify(message));
  }

  #read({ error, partial, result = [], text }) {
    if (error !== undefined) {
      this.#reason = String(error);
      return;
    }
    this.#unanswered.shift();
    if (partial !== undefined) {
      this.onpartial(partial);
    } else if (text) {
      this.#finals++;
      this.onfinal({ text, words: result.map(({ word, start, end }) => ({ text: word, start, end })) });
    }
  }
}

/** The message of an error in JSON, or all of another text. */
function errorOf(text) {
  try {
    return JSON.parse(text).error.message;
  } catch {
    return text;
  }
}
