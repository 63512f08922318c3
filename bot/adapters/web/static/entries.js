// What can stand in a conversation: a person's own words, a card, a picture. Everything is text; nothing is markup.

import { html, useState } from "./vendor/preact-htm.js";
import { Icon } from "./icons.js";
import { Viewer } from "./dialogs.js";
import { explain, t, time } from "./words.js";

export function Own({ entry, outgoing, onAgain, onDiscard }) {
  const failed = outgoing?.error;
  const state = failed ? "failed" : outgoing ? "sending" : "";
  return html`<div class="own ${state}">
    <div class="own-text" dir="auto">
      ${entry.file ? html`<${Icon} name="file" /> ${t("file", { name: entry.file })}` : entry.text}
    </div>
    ${failed
      ? html`<div class="failed-line" role="alert">
          <span><strong>${t("not_sent")}</strong> ${explain(failed)}</span>
          <button type="button" class="link" onClick=${onAgain}>${t("again")}</button>
          <button type="button" class="link quiet" onClick=${onDiscard}>${t("discard")}</button>
        </div>`
      : html`<div class="stamp">${outgoing ? t("sending") : time(entry.at)}</div>`}
  </div>`;
}

export function Said({ entry, changed, language, busy, onTap }) {
  const { card, name, only } = entry.reply;
  const plain = !card.title && !card.fields.length && !card.table && !card.buttons.length && card.tone === "plain";
  // A named card that lost all but a sentence has moved further down: no more than a trace stays.
  if (plain && name && entry.edited) return html`<p class="moved" data-card=${name} dir="auto">${card.text}</p>`;
  const shape = plain ? "bubble" : `card tone-${card.tone}`;
  // A new key starts the highlight again for every change; the first showing has none.
  return html`<article
    key=${changed}
    class="${shape} ${only ? "private" : ""} ${changed ? "changed" : ""}"
    data-card=${name || null}
    aria-label=${card.title || null}
  >
    ${only && html`<p class="only"><${Icon} name="lock" size=${13} /> ${t("only_you", {}, language)}</p>`}
    ${card.title && html`<header><${Tone} tone=${card.tone} /><h3 dir="auto">${card.title}</h3></header>`}
    ${card.text && html`<p class="text" dir="auto">${!card.title && html`<${Tone} tone=${card.tone} />`}${card.text}</p>`}
    ${card.fields.length > 0 && html`<${Fields} fields=${card.fields} />`}
    ${card.table && html`<${Rows} table=${card.table} label=${card.title} />`}
    ${card.note && html`<p class="note" dir="auto">${card.note}</p>`}
    ${card.buttons.length > 0 && html`<div class="buttons">
      ${card.buttons.map((button) => html`<button
        key=${button.action}
        type="button"
        class="button ${button.style}"
        disabled=${Boolean(busy)}
        aria-busy=${busy?.action === button.action}
        onClick=${() => onTap(button.action, name)}
      ><span dir="auto">${button.label}</span></button>`)}
    </div>`}
  </article>`;
}

function Tone({ tone }) {
  if (tone !== "waiting" && tone !== "good" && tone !== "bad") return null;
  return html`<span class="tone"><${Icon} name=${tone} size=${14} /><span class="unseen">${t(`tone_${tone}`)}: </span></span>`;
}

function Fields({ fields }) {
  return html`<dl class="fields">
    ${fields.map((field, index) => html`<div key=${index} class=${field.wide ? "wide" : ""}>
      <dt dir="auto">${field.label}</dt>
      <dd dir="auto">${field.value}</dd>
    </div>`)}
  </dl>`;
}

// A wide table scrolls inside its own frame, which the keyboard can reach.
function Rows({ table, label }) {
  return html`<div class="table" role="region" tabindex="0" aria-label=${label || t("table")}>
    <table>
      <thead><tr>${table.head.map((cell, index) => html`<th key=${index} scope="col" dir="auto">${cell}</th>`)}</tr></thead>
      <tbody>
        ${table.rows.map((row, line) => html`<tr key=${line}>
          ${row.map((cell, index) => html`<td key=${index} dir="auto">${cell}</td>`)}
        </tr>`)}
      </tbody>
    </table>
  </div>`;
}

export function Chart({ entry }) {
  const [open, setOpen] = useState(false);
  const address = `/pictures/${encodeURIComponent(entry.key)}/${encodeURIComponent(entry.filename)}`;
  return html`<figure class="chart">
    <button type="button" aria-label=${t("enlarge", { alt: entry.alt })} onClick=${() => setOpen(true)}>
      <img src=${address} alt=${entry.alt} width=${entry.width} height=${entry.height} decoding="async" />
    </button>
    <figcaption>
      <span dir="auto">${entry.alt}</span>
      <a href=${address} download=${entry.filename}><${Icon} name="download" size=${14} /> ${t("download")}</a>
    </figcaption>
    ${open && html`<${Viewer} address=${address} entry=${entry} onClose=${() => setOpen(false)} />`}
  </figure>`;
}
