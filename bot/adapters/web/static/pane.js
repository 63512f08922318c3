// One person's view: who it is, what was said, and a place to write.

import { html, useEffect, useLayoutEffect, useRef, useState } from "./vendor/preact-htm.js";
import { Chooser } from "./chooser.js";
import { Composer } from "./composer.js";
import { Chart, Own, Said } from "./entries.js";
import { Icon, Mark } from "./icons.js";
import { TAGS, day, explain, suggestions, t, time } from "./words.js";

const NEAR = 80; // px from the end within which the list follows what is new
const TOGETHER = 5 * 60_000; // what is said within five minutes stands under one name

export function Pane({ store, person, slot, onChoose }) {
  const [fill, setFill] = useState(null);
  const talk = store.talk(person.id);
  const { list, away, toEnd, follow } = useEnd(talk);

  // A button vanishes with the focus on it; then writing goes on where it was.
  const root = useRef();
  const focused = useRef(null);
  useEffect(() => {
    const button = focused.current;
    const gone = button?.matches(".buttons *") && (button.disabled || !button.isConnected);
    if (!gone || talk.busy.size > 0 || store.asking) return;
    focused.current = null;
    const nowhere = document.activeElement === document.body;
    if (nowhere && matchMedia("(pointer: fine)").matches) root.current.querySelector(".composer textarea").focus();
  });

  const standing = inOrder(talk);
  const empty = talk.loaded && standing.length === 0;
  const history = standing.filter(([, entry]) => entry.text).map(([, entry]) => entry.text);
  return html`<section ref=${root} class="pane" onFocusIn=${(event) => { focused.current = event.target; }} aria-label=${`${person.name}, ${person.title}`} data-person=${person.id}>
    <header class="pane-head"><${Chooser} people=${store.people} person=${person} onChoose=${onChoose} /></header>
    <div
      ref=${list}
      class="log"
      role="log"
      aria-live="polite"
      aria-relevant="additions text"
      aria-label=${t("conversation", { name: person.name })}
      tabindex="0"
      lang=${TAGS[person.language]}
    >
      ${empty && html`<${Empty} person=${person} slot=${slot} onPick=${(text) => setFill({ text })} />`}
      <${Conversation} ...${{ store, talk, person, standing }} />
      ${talk.working && html`<div class="working" role="status"><i></i><i></i><i></i><span class="unseen">${t("working")}</span></div>`}
    </div>
    <div class="pane-foot">
      ${away && html`<button type="button" class="newest" onClick=${toEnd}>${t("newest")} <${Icon} name="down" size=${14} /></button>`}
      ${talk.trouble && html`<p class="trouble" role="alert">
        <span>${explain(talk.trouble)}</span>
        <button type="button" class="icon-button" aria-label=${t("dismiss")} onClick=${() => store.forgive(person.id)}><${Icon} name="close" size=${14} /></button>
      </p>`}
      <${Composer}
        person=${person}
        fill=${fill}
        history=${history}
        onSay=${(text) => { follow(); store.say(person.id, text); }}
        onAttach=${(file) => { follow(); store.attach(person.id, file); }}
      />
    </div>
  </section>`;
}

// Keeps the end in view while the reader is there, and says when something new came while they were not.
function useEnd(talk) {
  const list = useRef();
  const near = useRef(true);
  const known = useRef(0);
  const [away, setAway] = useState(false);
  const toEnd = () => {
    const box = list.current;
    if (box) box.scrollTop = box.scrollHeight; // a picture may still load into a pane that is gone
  };

  useEffect(() => {
    const box = list.current;
    const look = () => {
      near.current = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
      if (near.current) setAway(false);
    };
    const stay = () => near.current && toEnd();
    const sizes = new ResizeObserver(stay); // a keyboard opening, a pane narrowing
    sizes.observe(box);
    box.addEventListener("scroll", look, { passive: true });
    box.addEventListener("load", stay, true); // pictures; the event does not bubble
    return () => {
      sizes.disconnect();
      box.removeEventListener("scroll", look);
      box.removeEventListener("load", stay, true);
    };
  }, []);

  const size = talk.entries.size + talk.outgoing.size;
  useLayoutEffect(() => {
    if (near.current) toEnd();
    else if (size > known.current) setAway(true);
    known.current = size;
  });
  return { list, away, toEnd, follow: () => { near.current = true; } };
}

function Empty({ person, slot, onPick }) {
  const language = person.language;
  return html`<div class="empty">
    <${Mark} size=${36} />
    <h2>${t("empty_title", { name: person.name })}</h2>
    <p>${t("empty_text")}</p>
    <div class="chips">
      ${suggestions(language, slot).map((text) => html`<button key=${text} type="button" class="chip" onClick=${() => onPick(text)}>${text}</button>`)}
    </div>
  </div>`;
}

// What stands, and after it what is on its way.
function inOrder(talk) {
  const standing = [...talk.entries];
  for (const [handle, { said }] of talk.outgoing) if (!talk.entries.has(handle)) standing.push([handle, said]);
  return standing;
}

function Conversation({ store, talk, person, standing }) {
  let last = null;
  return standing.map(([handle, entry]) => {
    const newDay = !last || day(last.at) !== day(entry.at);
    const ours = entry.kind !== "in";
    const newVoice = ours && (newDay || last.kind === "in" || new Date(entry.at) - new Date(last.at) > TOGETHER);
    last = entry;
    return html`<div key=${handle} class="entry ${ours ? "theirs" : "mine"}">
      ${newDay && html`<p class="day"><span>${day(entry.at)}</span></p>`}
      ${newVoice && html`<p class="voice"><${Mark} size=${18} /> <strong>Dealdesk</strong> <time datetime=${entry.at}>${time(entry.at)}</time></p>`}
      <${Entry} ...${{ store, talk, person, handle, entry }} />
    </div>`;
  });
}

function Entry({ store, talk, person, handle, entry }) {
  if (entry.kind === "image") return html`<${Chart} entry=${entry} />`;
  if (entry.kind === "in") {
    return html`<${Own}
      entry=${entry}
      outgoing=${talk.outgoing.get(handle)}
      onAgain=${() => store.again(person.id, handle)}
      onDiscard=${() => store.discard(person.id, handle)}
    />`;
  }
  return html`<${Said}
    entry=${entry}
    changed=${talk.changed.get(handle) ?? 0}
    language=${person.language}
    busy=${talk.busy.get(handle)}
    onTap=${(action, card) => store.tap(person.id, handle, action, card)}
  />
  ${entry.edited && entry.reply.card.title && html`<p class="stamp updated">${t("updated", { time: time(entry.edited) })}</p>`}`;
}
