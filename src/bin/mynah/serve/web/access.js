// The dialog that asks for the server's access token.

/** Asks for a token. Resolves to it, or to `undefined` if the user cancels. */
export function askForToken(page, { rejected }) {
  const { access, accessReason, cancel, token } = page;
  accessReason.textContent = rejected
    ? "The server did not accept that token. Enter it again."
    : "Whoever runs the server can tell you the token.";
  token.value = "";
  access.returnValue = "";
  cancel.onclick = () => access.close();
  access.showModal();
  token.focus();
  return new Promise((resolve) => {
    access.addEventListener(
      "close",
      () => resolve(access.returnValue === "connect" ? token.value.trim() : undefined),
      { once: true },
    );
  });
}
