// What stands on the page, and the things a person can do with it. The components draw what is here and hold nothing
// but half-written text.

import { company, follow, newId, post } from "./api.js";

const KEEP = 400; // entries of one conversation that stay on the page
const SETTLE = 2500; // after the server took an arrival, how long its answer may take to show before we stop waiting

export class Store {
  people = [];
  company = "";
  local = true;
  connected = null; // null until the first answer
  asking = null; // { person, ask, error, busy }
  #talks = new Map(); // person -> Talk
  #listeners = new Set();
  #unfollow = () => {};
  #following = "";
  #settling = new Map(); // person -> timer

  async load() {
    Object.assign(this, await company());
    this.#changed();
  }

  listen(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  talk(person) {
    if (!this.#talks.has(person)) this.#talks.set(person, new Talk());
    return this.#talks.get(person);
  }

  follow(people) {
    const wanted = [...new Set(people)].sort();
    if (wanted.join() === this.#following) return;
    this.#following = wanted.join();
    this.#unfollow();
    this.#unfollow = follow(wanted, {
      state: ({ person, entries }) => {
        this.talk(person).restore(entries);
        this.#changed();
      },
      entry: ({ person, handle, entry }) => {
        this.talk(person).stand(handle, entry);
        this.#changed();
      },
      connected: (connected) => {
        // Someone may have joined or left while we were away.
        if (connected && this.connected === false) this.load().catch(() => {});
        this.connected = connected;
        this.#changed();
      },
    });
  }

  // -- what a person does

  say(person, text) {
    this.#bring(person, "message", { id: newId(), person, text }, { text });
  }

  async attach(person, file) {
    const content = await base64(file);
    const body = { id: newId(), person, name: file.name.slice(0, 200), mime: file.type, content };
    this.#bring(person, "file", body, { text: "", file: file.name });
  }

  again(person, handle) {
    const { kind, body, said } = this.talk(person).outgoing.get(handle);
    this.#bring(person, kind, body, said);
  }

  discard(person, handle) {
    this.talk(person).outgoing.delete(handle);
    this.#changed();
  }

  async tap(person, handle, action, card) {
    const talk = this.talk(person);
    const key = `${handle} ${action}`;
    const id = talk.taps.get(key) ?? newId(); // tapped again after no answer: the same tap
    talk.taps.set(key, id);
    talk.busy.set(handle, { action, taken: false });
    talk.answered = false;
    talk.trouble = null;
    this.#changed();
    try {
      const { ask } = await post("tap", { id, person, action, card });
      talk.taps.delete(key);
      if (ask) this.#ask(person, ask);
      if (ask || talk.answered) talk.busy.delete(handle);
      else if (talk.busy.has(handle)) talk.busy.set(handle, { action, taken: true });
      this.#settle(person);
    } catch (error) {
      talk.busy.delete(handle);
      talk.trouble = error;
    }
    this.#changed();
  }

  async submit(values) {
    const asking = { ...this.asking, busy: true, error: null };
    const { person, ask, id } = asking;
    const talk = this.talk(person);
    this.asking = asking;
    talk.answered = false;
    this.#changed();
    try {
      const receipt = await post("form", { id, person, form: ask.name, values });
      if (this.asking === asking) this.asking = null;
      if (receipt.ask) this.#ask(person, receipt.ask);
      talk.expecting = !receipt.ask && !talk.answered;
      this.#settle(person);
    } catch (error) {
      if (this.asking === asking) this.asking = { ...asking, busy: false, error };
    }
    this.#changed();
  }

  cancel() {
    this.asking = null;
    this.#changed();
  }

  forgive(person) {
    this.talk(person).trouble = null;
    this.#changed();
  }

  seen(person) {
    if (this.talk(person).unread === 0) return;
    this.talk(person).unread = 0;
    this.#changed();
  }

  // -- inside

  async #bring(person, kind, body, said) {
    const talk = this.talk(person);
    const handle = `web:${body.id}`; // as the server will name it, so that the two become one
    const sending = { kind, body, said: { kind: "in", ...said, at: new Date().toISOString() }, error: null };
    talk.outgoing.set(handle, sending);
    talk.pending += 1;
    talk.answered = false;
    this.#changed();
    try {
      const { ask } = await post(kind, body);
      talk.outgoing.delete(handle);
      talk.stand(handle, sending.said);
      if (ask) this.#ask(person, ask);
      talk.expecting = !ask && !talk.answered;
      this.#settle(person);
    } catch (error) {
      talk.outgoing.set(handle, { ...sending, error });
    }
    talk.pending -= 1;
    this.#changed();
  }

  #ask(person, ask) {
    this.asking = { person, ask, id: newId(), busy: false, error: null };
  }

  // The server took it; what it says to it comes over the stream, usually at once. If nothing comes, stop waiting.
  #settle(person) {
    clearTimeout(this.#settling.get(person));
    const enough = () => {
      this.talk(person).settle();
      this.#changed();
    };
    this.#settling.set(person, setTimeout(enough, SETTLE));
  }

  #changed() {
    for (const listener of this.#listeners) listener();
  }
}

// One person's conversation.
class Talk {
  entries = new Map(); // handle -> entry, in order; an edited one keeps its place
  outgoing = new Map(); // handle -> what is on its way, or did not get through
  busy = new Map(); // handle of a card -> the action tapped on it, and whether the server has taken it
  taps = new Map();
  changed = new Map(); // handle -> how often it changed before our eyes
  pending = 0; // arrivals without an answer
  expecting = false;
  answered = true; // something was said since the last arrival
  trouble = null;
  unread = 0;
  loaded = false;

  restore(entries) {
    const before = this.entries;
    this.entries = new Map(entries);
    for (const [handle, entry] of this.entries) {
      if (this.loaded && before.has(handle)) this.#compare(handle, before.get(handle), entry);
    }
    // What the server has by now got through after all, though its answer was lost with the connection.
    for (const handle of this.outgoing.keys()) if (this.entries.has(handle)) this.outgoing.delete(handle);
    this.loaded = true;
  }

  stand(handle, entry) {
    const before = this.entries.get(handle);
    if (entry.kind === "in") {
      if (!before) this.entries.set(handle, entry);
      return;
    }
    this.entries.set(handle, entry);
    if (this.entries.size > KEEP) this.entries.delete(this.entries.keys().next().value);
    if (!before || before.edited !== entry.edited) this.unread += 1; // the stream may tell the same thing twice
    this.#compare(handle, before, entry);
    this.answered = true;
    this.busy.delete(handle);
    this.settle();
  }

  // Enough waiting: what the server has taken is answered, or answered by silence.
  settle() {
    this.expecting = false;
    for (const [handle, { taken }] of this.busy) if (taken) this.busy.delete(handle);
  }

  get working() {
    return (this.pending > 0 && !this.answered) || this.expecting;
  }

  #compare(handle, before, now) {
    if (before && before.edited !== now.edited) this.changed.set(handle, (this.changed.get(handle) ?? 0) + 1);
  }
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
