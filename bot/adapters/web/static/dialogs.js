// What opens over the page: a form that was asked for, and a picture made large. Both are native dialogs, which keep
// the focus inside, close on Escape and give the focus back.

import { html, useId, useLayoutEffect, useRef } from "./vendor/preact-htm.js";
import { Icon } from "./icons.js";
import { explain, t } from "./words.js";

function Dialog({ class: name, label, onClose, children }) {
  const dialog = useRef();
  useLayoutEffect(() => {
    dialog.current.showModal();
  }, []);
  const outside = (event) => event.target === dialog.current && onClose();
  return html`<dialog ref=${dialog} class=${name} aria-labelledby=${label} onClose=${onClose} onPointerDown=${outside}>
    ${children}
  </dialog>`;
}

// `asking` is what the server asked: its form, whose it is, and how sending it goes.
export function FormDialog({ asking, person, onSubmit, onCancel }) {
  const { ask, busy, error } = asking;
  const title = useId();
  const submit = (event) => {
    event.preventDefault();
    if (busy) return;
    const values = {};
    for (const [name, value] of new FormData(event.currentTarget)) values[name] = value;
    onSubmit(values);
  };
  return html`<${Dialog} class="form" label=${title} onClose=${onCancel}>
    <form onSubmit=${submit} lang=${person?.language}>
      <header>
        <div>
          <h2 id=${title} dir="auto">${ask.title}</h2>
          ${person && html`<p class="as">${t("as_person", { name: person.name })}</p>`}
        </div>
        <button type="button" class="icon-button" aria-label=${t("close")} onClick=${onCancel}><${Icon} name="close" /></button>
      </header>
      <div class="form-body">
        ${ask.text && html`<p class="text" dir="auto">${ask.text}</p>`}
        ${ask.inputs.map((input, index) => html`<${Blank} key=${input.name} input=${input} first=${index === 0} />`)}
        ${error && html`<p class="trouble" role="alert">${explain(error)}</p>`}
      </div>
      <footer>
        <button type="button" class="button plain" onClick=${onCancel}>${t("cancel")}</button>
        <button type="submit" class="button primary" aria-busy=${busy} disabled=${busy}><span>${ask.submit}</span></button>
      </footer>
    </form>
  <//>`;
}

function Blank({ input, first }) {
  const id = useId();
  const hint = input.hint ? `${id}-hint` : null;
  const common = { id, name: input.name, required: input.required, "aria-describedby": hint, autofocus: first };
  return html`<div class="blank">
    <label for=${id}>
      <span dir="auto">${input.label}</span>
      <span class="need">${t(input.required ? "required" : "optional")}</span>
    </label>
    ${control(input, common)}
    ${hint && html`<p id=${hint} class="hint" dir="auto">${input.hint}</p>`}
  </div>`;
}

function control(input, common) {
  if (input.kind === "long") return html`<textarea ...${common} rows="4" dir="auto" defaultValue=${input.value}></textarea>`;
  if (input.kind === "choice") {
    const known = input.options.some(([value]) => value === input.value);
    return html`<span class="select"><select ...${common}>
      ${!(known && input.required) && html`<option value="" selected=${!known}>${t("pick")}</option>`}
      ${input.options.map(([value, label]) => html`<option key=${value} value=${value} selected=${value === input.value}>${label}</option>`)}
    </select><${Icon} name="down" /></span>`;
  }
  const kind = input.kind === "number" ? { type: "number", step: "any", inputmode: "decimal" } : { type: "text", dir: "auto" };
  return html`<input ...${common} ...${kind} autocomplete="off" defaultValue=${input.value} />`;
}

export function Viewer({ address, entry, onClose }) {
  const title = useId();
  return html`<${Dialog} class="viewer" label=${title} onClose=${onClose}>
    <header>
      <p id=${title} dir="auto">${entry.alt}</p>
      <a class="button plain" href=${address} download=${entry.filename}><${Icon} name="download" size=${14} /> <span>${t("download")}</span></a>
      <button type="button" class="icon-button" aria-label=${t("close")} onClick=${onClose}><${Icon} name="close" /></button>
    </header>
    <img src=${address} alt=${entry.alt} />
  <//>`;
}
