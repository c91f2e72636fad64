// The stream of changes, and the honest state of the connection.

const AGAIN_MS = 1_500;

/**
 * Listen to the emulator until the page is closed.
 *
 * The browser reconnects by itself when a connection breaks, but gives up where it is refused; so
 * then this tries again.
 */
export function listen(onChange, onConnection) {
  const source = new EventSource("/phone/events");
  source.addEventListener("message", (event) => {
    const change = JSON.parse(event.data);
    onChange(change);
    if (change.kind === "snapshot") onConnection("live");
  });
  source.addEventListener("error", () => {
    onConnection("lost");
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(() => listen(onChange, onConnection), AGAIN_MS);
  });
}
