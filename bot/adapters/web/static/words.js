// The page's own words, in both languages, from words.json. What Dealdesk says comes ready from the server.

export const LANGUAGES = ["en", "zh"];
export const TAGS = { en: "en", zh: "zh-CN" };

let words = {};
let language = "en";

export async function loadWords() {
  const response = await fetch("/static/words.json");
  if (!response.ok) throw new Error(`words.json: ${response.status}`);
  words = await response.json();
}

export function speak(code) {
  language = LANGUAGES.includes(code) ? code : "en";
  document.documentElement.lang = TAGS[language];
  document.title = t("page");
}

export function t(key, facts = {}, code = language) {
  const text = words[code]?.[key] ?? words.en?.[key] ?? "";
  return text.replace(/\{(\w+)\}/g, (whole, name) => facts[name] ?? whole);
}

// What to say of an error: in the page's language where we know it, else as the server put it.
export function explain(error) {
  return t(`error_${error.code}`) || error.message;
}

export function time(at) {
  return new Date(at).toLocaleTimeString(TAGS[language], { hour: "2-digit", minute: "2-digit", hour12: false });
}

export function day(at) {
  const date = new Date(at);
  const midnight = (value) => new Date(value).setHours(0, 0, 0, 0);
  const ago = Math.round((midnight(Date.now()) - midnight(date)) / 86_400_000);
  if (ago === 0) return t("today");
  if (ago === 1) return t("yesterday");
  return date.toLocaleDateString(TAGS[language], { weekday: "short", day: "numeric", month: "long", year: "numeric" });
}

// By the pane's place: who sells, who approves, who looks at the whole.
const SUGGESTIONS = {
  en: [
    ["order 50 Pro seats for Acme at $20", "new lead: Jane Doe from Brightside Foods, jane@example.com", "my orders"],
    ["what waits for me?", "who is Acme?", "weekly sales"],
    ["weekly sales", "sales last week", "what waits for me?"],
  ],
  zh: [
    ["给星辰科技下单40套专业版，九折", "新线索：阳光食品的张伟，电话 13800000000", "我的订单"],
    ["有什么等我审批？", "查一下星辰科技", "本周销售"],
    ["本周销售", "上周销售", "有什么等我审批？"],
  ],
};

export function suggestions(code, slot) {
  return (SUGGESTIONS[code] ?? SUGGESTIONS.en)[Math.min(slot, 2)];
}
