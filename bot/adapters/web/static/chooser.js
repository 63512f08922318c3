// Choosing who a pane speaks as: a button with the person on it, and a list that can be searched and walked by keys.

import { html, useEffect, useId, useRef, useState } from "./vendor/preact-htm.js";
import { Avatar, Icon } from "./icons.js";
import { t } from "./words.js";

export function Chooser({ people, person, onChoose }) {
  const [open, setOpen] = useState(false);
  const root = useRef();
  const button = useRef();
  const list = useId();

  useEffect(() => {
    if (!open) return undefined;
    const outside = (event) => !root.current?.contains(event.target) && setOpen(false);
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  const choose = (id) => {
    close();
    onChoose(id);
  };
  const leave = ({ currentTarget, relatedTarget }) => relatedTarget && !currentTarget.contains(relatedTarget) && setOpen(false);

  return html`<div class="chooser" ref=${root} onFocusOut=${leave}>
    <button
      ref=${button}
      type="button"
      class="chooser-button"
      aria-haspopup="listbox"
      aria-expanded=${open}
      aria-controls=${open ? list : null}
      aria-label=${t("choose", { name: person.name, title: person.title })}
      onClick=${() => setOpen(!open)}
    >
      <${Avatar} person=${person} />
      <span class="who"><strong dir="auto">${person.name}</strong><span dir="auto">${role(person)}</span></span>
      <${Icon} name="down" />
    </button>
    ${open && html`<${List} id=${list} people=${people} person=${person} onChoose=${choose} onClose=${close} />`}
  </div>`;
}

function List({ id, people, person, onChoose, onClose }) {
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(Math.max(0, people.findIndex((one) => one.id === person.id)));
  const field = useRef();
  const options = useRef();

  useEffect(() => field.current.focus(), []);
  useEffect(() => options.current.querySelector(".at")?.scrollIntoView({ block: "nearest" }), [at, query]);

  const wanted = query.trim().toLowerCase();
  const found = people.filter((one) => `${one.name} ${one.title} ${one.team}`.toLowerCase().includes(wanted));
  const press = (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) setAt((at + step + found.length) % found.length);
    else if (event.key === "Enter" && found[at]) onChoose(found[at].id);
    else if (event.key === "Escape") onClose();
    else return;
    event.preventDefault();
  };

  return html`<div class="chooser-list">
    <input
      ref=${field}
      type="text"
      role="combobox"
      autocomplete="off"
      spellcheck=${false}
      aria-expanded="true"
      aria-controls=${id}
      aria-activedescendant=${found[at] ? `${id}-${found[at].id}` : null}
      aria-label=${t("find_person")}
      placeholder=${t("find_person")}
      value=${query}
      onInput=${(event) => { setQuery(event.currentTarget.value); setAt(0); }}
      onKeyDown=${press}
    />
    <ul id=${id} ref=${options} role="listbox" aria-label=${t("choose_title")}>
      ${found.map((one, index) => html`<li
        key=${one.id}
        id=${`${id}-${one.id}`}
        role="option"
        class=${index === at ? "at" : ""}
        aria-selected=${one.id === person.id}
        onClick=${() => onChoose(one.id)}
        onPointerMove=${() => setAt(index)}
      >
        <${Avatar} person=${one} />
        <span class="who"><strong dir="auto">${one.name}</strong><span dir="auto">${role(one)}</span></span>
        ${one.id === person.id && html`<${Icon} name="check" />`}
      </li>`)}
    </ul>
    ${found.length === 0 && html`<p class="no-one">${t("no_person")}</p>`}
  </div>`;
}

function role(person) {
  return [person.title, person.team].filter(Boolean).join(" · ");
}
