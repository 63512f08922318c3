// Small drawings. They only ever decorate: whatever they mean is also said in words.

import { html } from "./vendor/preact-htm.js";

const PATHS = {
  send: "M12 19V5m-6.5 6.5L12 5l6.5 6.5",
  attach: "m20 11.5-7.8 7.8a4.7 4.7 0 0 1-6.7-6.7l8-8a3.1 3.1 0 0 1 4.4 4.4l-8 8a1.6 1.6 0 0 1-2.2-2.2l7.3-7.3",
  down: "m7 10 5 5 5-5",
  lock: "M7 11V8a5 5 0 0 1 10 0v3m-11 0h12v9H6z",
  waiting: "M12 7v5l3 2",
  good: "m7.5 12.3 3 3 6-6.5",
  bad: "M12 7v6m0 3.5v.1",
  close: "M6 6l12 12M18 6 6 18",
  download: "M12 4v11m-5-5 5 5 5-5M5 20h14",
  info: "M12 11v6m0-9.5v.1M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
  file: "M7 3h7l4 4v14H7zM14 3v4h4",
  one: "M5 5h14v14H5z",
  three: "M4 5h4v14H4zM10 5h4v14h-4zM16 5h4v14h-4z",
  check: "m5 12.5 4.5 4.5L19 7.5",
};

export function Icon({ name, size = 16 }) {
  return html`<svg class="icon" width=${size} height=${size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    <path d=${PATHS[name]} />
  </svg>`;
}

export function Mark({ size = 24 }) {
  return html`<svg class="mark" width=${size} height=${size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <rect width="32" height="32" rx="8" class="mark-ground" />
    <path class="mark-d" d="M8 9.5A2.5 2.5 0 0 1 10.5 7H17a9 9 0 0 1 0 18h-6.5A2.5 2.5 0 0 1 8 22.5z" />
    <path class="mark-tick" d="m12.2 16.2 3.1 3.1 5.7-6.2" />
  </svg>`;
}

export function Avatar({ person, size = "" }) {
  return html`<span class="avatar ${size} tint-${tints.get(person.id) ?? 0}" aria-hidden="true">${initials(person.name)}</span>`;
}

function initials(name) {
  const words = name.trim().split(/\s+/);
  if (/\p{Script=Han}/u.test(name)) return words.join("").slice(-2);
  return [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => [...word][0] ?? "").join("").toUpperCase();
}

// The same colour for the same person everywhere, and different ones for those who come first.
const tints = new Map();

export function paint(ids) {
  for (const id of ids) if (!tints.has(id)) tints.set(id, tints.size % 6);
}
