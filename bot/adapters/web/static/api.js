// Talking to the server: one POST for each thing a person does, one stream for everything that is said.

export class Trouble extends Error {
  constructor(code, message = "") {
    super(message);
    this.code = code;
  }
}

const PATIENCE = 90_000; // an answer may take a while, but not for ever
const SILENCE = 45_000; // the server pings every 15 seconds; after three the line is dead

// Made here and not by the server, so that sending again after a lost answer is recognised as a repeat.
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID is missing on plain http away from localhost
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

async function request(path, options) {
  let response;
  try {
    response = await fetch(path, { ...options, signal: AbortSignal.timeout(PATIENCE) });
  } catch {
    throw new Trouble("network");
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Trouble(body.code ?? "broken", body.error ?? "");
  return body;
}

export const company = () => request("/api/company", {});

export function post(kind, body) {
  const headers = { "Content-Type": "application/json" };
  return request(`/api/${kind}`, { method: "POST", headers, body: JSON.stringify(body) });
}

// Follows several people until the returned function is called. Comes back by itself after any break; every
// beginning tells all that stands (`state`), so nothing is lost in between.
export function follow(people, { state, entry, connected }) {
  let source, watch, retry;
  let delay = 300;
  let over = false;

  const alive = () => {
    clearTimeout(watch);
    watch = setTimeout(broken, SILENCE);
  };
  const broken = () => {
    source.close();
    clearTimeout(watch);
    clearTimeout(retry);
    if (over) return;
    connected(false);
    retry = setTimeout(open, delay);
    delay = Math.min(delay * 2, 5000);
  };
  const on = (kind, act) =>
    source.addEventListener(kind, (event) => {
      alive();
      act(JSON.parse(event.data));
    });
  const open = () => {
    clearTimeout(retry);
    source?.close();
    source = new EventSource(`/api/stream?people=${people.map(encodeURIComponent).join(",")}`);
    source.onerror = broken; // its own retry gives up on some errors and tells nobody
    on("state", state);
    on("entry", entry);
    on("ping", () => {});
    on("ready", () => {
      delay = 300;
      connected(true);
    });
    alive();
  };
  const wake = () => {
    if (source.readyState === EventSource.CLOSED && document.visibilityState === "visible") open();
  };

  open();
  addEventListener("online", wake);
  document.addEventListener("visibilitychange", wake);
  return () => {
    over = true;
    source.close();
    clearTimeout(watch);
    clearTimeout(retry);
    removeEventListener("online", wake);
    document.removeEventListener("visibilitychange", wake);
  };
}
