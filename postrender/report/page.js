"use strict";
// Filters and keys of the page; all content is there without it.
const cards = [...document.querySelectorAll(".card")];
const chips = [...document.querySelectorAll(".chip")];
const flows = [...document.querySelectorAll(".flow")];
const text = document.getElementById("text");
const severity = document.getElementById("severity");
const count = document.getElementById("count");
const none = document.getElementById("none");
const all = document.getElementById("all");
const rest = document.getElementById("rest");

const found = () => cards.filter((card) => !card.hidden);
const shown = () => found().filter((card) => !rest || rest.open || !rest.contains(card));

function filter() {
  const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset.word);
  for (const card of cards) {
    const severities = card.dataset.severities.split(" ");
    card.hidden = !(
      words.every((word) => card.dataset.text.includes(word)) &&
      (!wanted.length || wanted.includes(card.dataset.word)) &&
      (!severity.value || severities.includes(severity.value))
    );
  }
  for (const flow of flows) {
    const card = document.getElementById(flow.getAttribute("href").slice(1));
    flow.classList.toggle("off", card.hidden);
  }
  if (rest) {
    const left = found().filter((card) => rest.contains(card));
    rest.hidden = !left.length;
    rest.open = left.length > 0 && Boolean(words.length || wanted.length || severity.value);
  }
  none.hidden = found().length > 0 || !cards.length;
  count.textContent = `${found().length} of ${cards.length}`;
  name();
}

function name() {
  all.textContent = shown().every((card) => card.open) ? "Fold all" : "Unfold all";
}

function unfold() {
  if (rest) rest.open = true;
  const open = !shown().every((card) => card.open);
  for (const card of shown()) card.open = open;
  name();
}

function clear() {
  text.value = "";
  severity.value = "";
  for (const chip of chips) chip.setAttribute("aria-pressed", "false");
  filter();
}

function step(by) {
  const list = shown();
  const at = list.indexOf(document.activeElement.closest?.(".card"));
  const next = list[at < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(list.length - 1, Math.max(0, at + by))];
  next?.querySelector("summary").focus();
}

function reveal() {
  const card = document.getElementById(location.hash.slice(1));
  if (!card?.matches(".card")) return;
  if (card.hidden) clear();
  if (rest?.contains(card)) rest.open = true;
  card.open = true;
  card.scrollIntoView();
  card.querySelector("summary").focus({ preventScroll: true });
}

text.addEventListener("input", filter);
severity.addEventListener("change", filter);
all.addEventListener("click", unfold);
for (const chip of chips) {
  chip.addEventListener("click", () => {
    chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
    filter();
  });
}
for (const card of rest ? [...cards, rest] : cards) card.addEventListener("toggle", name);
addEventListener("hashchange", reveal);
for (const flow of flows) flow.addEventListener("click", () => setTimeout(reveal));
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    clear();
    document.activeElement.blur();
  } else if (event.target.closest("input, select, textarea")) {
    return;
  } else if (event.key === "/") {
    event.preventDefault();
    text.focus();
  } else if (event.key === "j" || event.key === "k") {
    step(event.key === "j" ? 1 : -1);
  } else if (event.key === "e") {
    unfold();
  }
});
filter();
reveal();
