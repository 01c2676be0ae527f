// What the page remembers on this computer. Without storage it remembers nothing, and works.

function read(storage, key) {
  try {
    return storage().getItem(`mynah.${key}`);
  } catch {
    return null;
  }
}

function write(storage, key, value) {
  try {
    storage().setItem(`mynah.${key}`, value);
  } catch {
    // Private windows may refuse.
  }
}

const lasting = () => localStorage;
/** Forgotten when the tab is closed. */
const passing = () => sessionStorage;

export const preferences = {
  /** The microphone chosen; empty for the default one. */
  get device() { return read(lasting, "device") ?? ""; },
  set device(id) { write(lasting, "device", id); },

  /** The size of captions, an index; `NaN` where none was chosen. */
  get size() { return parseInt(read(lasting, "size"), 10); },
  set size(index) { write(lasting, "size", String(index)); },

  /** The server's access token. */
  get token() { return read(passing, "token") ?? ""; },
  set token(token) { write(passing, "token", token); },
};
