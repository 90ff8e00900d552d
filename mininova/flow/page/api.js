// The HTTP API of `mininova-flow serve`: plain JSON, and one stream of server-sent events.
// All addresses are relative, so that the page works below any path.

// The token by which the page may play, from the address that the stack printed.  It lives as long as the tab: the
// address bar forgets it at once, so that a link which is shared does not carry it.
export function takeToken() {
  const found = /[#&?]token=([\w.~-]+)/.exec(location.hash);
  if (!found) return;
  sessionStorage.setItem("flow-token", found[1]);
  history.replaceState(null, "", `${location.pathname}#/`);
}

// What went wrong, in the words of the server.
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

// Ask for a JSON document: `get("requests", {search: "vm"})`; `get("")` asks what the server is.  Raises Refused, or TypeError when the server is away.
export async function get(path, query = {}) {
  const asked = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== undefined && value !== ""));
  return read(await fetch(`api${path && `/${path}`}${asked.size ? `?${asked}` : ""}`));
}

// Do something to the cloud: `play("servers", {name: "vm"})`.
export async function play(path, body) {
  const headers = { "Content-Type": "application/json", "X-Flow-Token": sessionStorage.getItem("flow-token") ?? "" };
  return read(await fetch(`api/play/${path}`, { method: "POST", headers, body: JSON.stringify(body) }));
}

// Whether this tab was given a token.
export function hasToken() {
  return Boolean(sessionStorage.getItem("flow-token"));
}

// Listen to the cloud.  `on` has a function for each kind of event, called with its data: message, world and missed;
// and `state`, called with true when the stream is open, and with false when it broke off (the browser tries again).
// Gives a function that stops.
export function listen(on) {
  const stream = new EventSource("api/live");
  for (const name of ["message", "world", "missed"]) {
    stream.addEventListener(name, (event) => on[name](JSON.parse(event.data)));
  }
  stream.addEventListener("open", () => on.state(true));
  stream.addEventListener("error", () => on.state(false));
  return () => stream.close();
}

async function read(answer) {
  const document = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : null;
  if (!answer.ok) throw new Refused(answer.status, document?.error?.message ?? `${answer.status} ${answer.statusText}`);
  return document;
}
