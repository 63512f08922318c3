// The page as a whole: who is shown, how many side by side, in which language.

import { html, render, useEffect, useReducer, useState } from "./vendor/preact-htm.js";
import { FormDialog } from "./dialogs.js";
import { Avatar, Icon, Mark, paint } from "./icons.js";
import { Pane } from "./pane.js";
import { Store } from "./store.js";
import { LANGUAGES, loadWords, speak, t } from "./words.js";

const WIDE = matchMedia("(min-width: 900px)"); // three panes fit; as in shell.css
const REMEMBER = "dealdesk.page";

function App({ store }) {
  const [, redraw] = useReducer((count) => count + 1, 0);
  const [look, setLook] = useState(() => remembered(store.people));
  const [wide, setWide] = useState(WIDE.matches);

  useEffect(() => store.listen(redraw), [store]);
  useEffect(() => {
    const turned = () => setWide(WIDE.matches);
    WIDE.addEventListener("change", turned);
    return () => WIDE.removeEventListener("change", turned);
  }, []);

  const people = settle(look.people, store.people);
  paint(ranked(store.people));
  const active = Math.min(look.active, people.length - 1);
  const shown = wide && look.view === "three" ? people.map((_, slot) => slot) : [active];
  useEffect(() => store.follow(people), [people.join()]);
  useEffect(() => {
    for (const slot of shown) store.seen(people[slot]);
  });

  const change = (part) => {
    const next = { ...look, people, ...part };
    setLook(next);
    remember(next);
  };
  const choose = (slot) => (id) => change({ people: people.map((old, index) => (index === slot ? id : old)) });
  const language = (code) => {
    speak(code);
    change({ language: code });
  };
  const person = (id) => store.people.find((one) => one.id === id);

  return html`<div class="app ${shown.length > 1 ? "wide" : "narrow"}">
    <${TopBar} store=${store} look=${look} onView=${(view) => change({ view })} onLanguage=${language} />
    <${Banner} store=${store} />
    ${shown.length === 1 && html`<${Strip} store=${store} people=${people.map(person)} active=${active} onPick=${(slot) => change({ active: slot })} />`}
    <main class="panes">
      ${shown.map((slot) => html`<${Pane}
        key=${`${slot} ${people[slot]}`}
        store=${store}
        person=${person(people[slot])}
        slot=${slot}
        onChoose=${choose(slot)}
      />`)}
    </main>
    ${store.asking && html`<${FormDialog}
      key=${store.asking.id}
      asking=${store.asking}
      person=${person(store.asking.person)}
      onSubmit=${(values) => store.submit(values)}
      onCancel=${() => store.cancel()}
    />`}
  </div>`;
}

function TopBar({ store, look, onView, onLanguage }) {
  const views = ["one", "three"];
  return html`<header class="top">
    <h1><${Mark} size=${26} /><span>Dealdesk</span></h1>
    <span class="company" dir="auto">${store.company}</span>
    <span class="line ${store.connected ? "live" : ""}" role="status">${store.connected !== null && t(store.connected ? "live" : "reconnecting")}</span>
    <div class="segment views" role="group" aria-label=${t("view")}>
      ${views.map((view) => html`<button key=${view} type="button" aria-pressed=${look.view === view} onClick=${() => onView(view)}>
        <${Icon} name=${view} size=${14} /> ${t(view)}
      </button>`)}
    </div>
    <div class="segment" role="group" aria-label=${t("language")}>
      ${LANGUAGES.map((code) => html`<button key=${code} type="button" lang=${code} aria-pressed=${look.language === code} onClick=${() => onLanguage(code)}>
        ${code === "zh" ? "中文" : "EN"}
      </button>`)}
    </div>
  </header>`;
}

function Banner({ store }) {
  if (store.connected === false) return html`<p class="banner offline" role="alert">${t("offline")}</p>`;
  return html`<p class="banner">
    <${Icon} name="info" size=${14} />
    <span>${t("banner", { company: store.company })} ${t(store.local ? "banner_local" : "banner_open")}</span>
  </p>`;
}

// With one pane in view, the others are a tap away, and show what they missed.
function Strip({ store, people, active, onPick }) {
  return html`<nav class="strip" aria-label=${t("panes")}>
    ${people.map((person, slot) => {
      const unread = slot === active ? 0 : store.talk(person.id).unread;
      return html`<button key=${slot} type="button" aria-current=${slot === active ? "true" : null} onClick=${() => onPick(slot)}>
        <${Avatar} person=${person} size="small" />
        <span class="name" dir="auto">${person.name}</span>
        ${unread > 0 && html`<span class="unread"><span aria-hidden="true">${unread}</span><span class="unseen">${t("unread", { count: unread })}</span></span>`}
      </button>`;
    })}
  </nav>`;
}

// Everyone once, those whose role is not yet among them first, in the order the server names them.
function ranked(people) {
  const titles = new Set();
  const differing = people.filter((person) => !titles.has(person.title) && titles.add(person.title));
  return [...new Set([...differing, ...people])].map((person) => person.id);
}

// The three people of the page: those wanted, and for whoever is missing the next in rank.
function settle(wanted, people) {
  const ids = ranked(people);
  const slots = [0, 1, 2].map((slot) => (ids.includes(wanted[slot]) ? wanted[slot] : null));
  for (const slot of [0, 1, 2]) slots[slot] ??= ids.find((id) => !slots.includes(id)) ?? ids[0];
  return slots;
}

// The address can say it (/?people=mia,lena&view=one&language=zh), else what was chosen last, else the browser.
function remembered(people) {
  let kept = {};
  try {
    kept = JSON.parse(localStorage.getItem(REMEMBER)) ?? {};
  } catch {
    // Storage may be switched off or hold something else; the defaults are good.
  }
  const query = Object.fromEntries(new URLSearchParams(location.search));
  const language = query.language ?? kept.language ?? (navigator.language.startsWith("zh") ? "zh" : "en");
  const look = {
    people: settle(query.people?.split(",") ?? (Array.isArray(kept.people) ? kept.people : []), people),
    view: (query.view ?? kept.view) === "one" ? "one" : "three",
    active: Number.isInteger(kept.active) ? Math.max(0, kept.active) : 0,
    language: LANGUAGES.includes(language) ? language : "en",
  };
  return look;
}

function remember(look) {
  try {
    localStorage.setItem(REMEMBER, JSON.stringify(look));
  } catch {
    // Then it is not remembered.
  }
}

async function begin() {
  const root = document.getElementById("app");
  const store = new Store();
  try {
    await loadWords();
    await store.load();
  } catch {
    const text = t("load_failed") || "The page could not be loaded. Check that Dealdesk is running.";
    render(html`<p class="sorry" role="alert">${text} <button type="button" class="button plain" onClick=${() => location.reload()}>${t("again") || "Try again"}</button></p>`, root);
    return;
  }
  speak(remembered(store.people).language);
  if (store.people.length === 0) render(html`<p class="sorry">${t("nobody")}</p>`, root);
  else render(html`<${App} store=${store} />`, root);
}

begin();
