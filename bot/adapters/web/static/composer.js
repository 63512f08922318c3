// Where a person writes. It keeps the half-written text; everything sent belongs to the store.

import { html, useEffect, useId, useLayoutEffect, useRef, useState } from "./vendor/preact-htm.js";
import { Icon } from "./icons.js";
import { t } from "./words.js";

const TALLEST = 168; // px, about seven lines; then it scrolls

// `fill` is { text } put there by a suggestion; `history` is what the person said, oldest first.
export function Composer({ person, fill, history, onSay, onAttach }) {
  const [text, setText] = useState("");
  const [recalled, setRecalled] = useState(-1); // how far back in the history the arrow keys have gone
  const area = useRef();
  const picker = useRef();
  const keys = useId();

  useEffect(() => {
    if (!fill) return;
    setText(fill.text);
    area.current.focus();
  }, [fill]);

  useLayoutEffect(() => {
    const box = area.current;
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight, TALLEST)}px`;
  }, [text]);

  const send = () => {
    if (!text.trim()) return;
    onSay(text);
    setText("");
    setRecalled(-1);
    area.current.focus();
  };

  const recall = (event, step) => {
    const at = recalled + step;
    const untouched = text === "" || (recalled >= 0 && text === history.at(-1 - recalled));
    if (!untouched || at < -1 || at >= history.length) return;
    event.preventDefault();
    setRecalled(at);
    setText(at < 0 ? "" : history.at(-1 - at));
  };

  const press = (event) => {
    // Enter also picks a candidate while Chinese is being composed: that one is not for us. (229: Safari.)
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === "ArrowUp") recall(event, 1);
    else if (event.key === "ArrowDown" && recalled >= 0) recall(event, -1);
  };

  const pick = () => {
    for (const file of picker.current.files) onAttach(file);
    picker.current.value = "";
  };

  return html`<form class="composer" onSubmit=${(event) => { event.preventDefault(); send(); }}>
    <div class="composer-box">
      <textarea
        ref=${area}
        rows="1"
        dir="auto"
        value=${text}
        placeholder=${t("placeholder")}
        aria-label=${t("write_as", { name: person.name })}
        aria-describedby=${keys}
        autocomplete="off"
        enterkeyhint="send"
        onInput=${(event) => setText(event.currentTarget.value)}
        onKeyDown=${press}
      ></textarea>
      <input ref=${picker} type="file" hidden onChange=${pick} />
      <button type="button" class="icon-button" title=${t("attach")} aria-label=${t("attach")} onClick=${() => picker.current.click()}>
        <${Icon} name="attach" size=${18} />
      </button>
      <button type="submit" class="send" aria-label=${t("send")} title=${t("send")} disabled=${!text.trim()}>
        <${Icon} name="send" size=${18} />
      </button>
    </div>
    <p id=${keys} class="keys">${t("keys")}</p>
  </form>`;
}
