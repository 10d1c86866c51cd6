// Comfort for the search page: completions, results while one types, builds as they go on. All of
// it asks for what the pages are without it; what is shown is always a page that the server made.

const form = document.getElementById("ask");
const box = form.elements.q;
const told = document.getElementById("told");
const unreachable = document.getElementById("unreachable");
const home = new URL(form.action).pathname;
const searching = location.pathname === home;

const RESTED = 150; // ms without a key before paragraphs are asked for
const PAUSED = 400; // and before an answer is, which takes a model
const COMPLETED = 80; // and completions

// Pages in place of the one shown

const PARTS = [".brand", ".lead", ".filters", "main", "footer"];

function show(page) {
  const active = document.activeElement;
  const within = active.closest("main");
  const unfolded = document.querySelector(".narrow")?.open;
  document.title = page.title;
  document.body.className = page.body.className;
  for (const part of PARTS) {
    const old = document.querySelector(part);
    const fresh = page.querySelector(part);
    if (part === ".filters" && old?.contains(active) && fresh) refill(old, fresh);
    else if (old && fresh) old.replaceWith(fresh);
    else if (old) old.remove();
    else if (fresh && part === ".lead") form.prepend(fresh);
    else if (fresh && part === ".filters") form.append(fresh);
  }
  for (const name of ["aria-invalid", "aria-describedby"]) {
    const value = page.getElementById("q").getAttribute(name);
    if (value === null) box.removeAttribute(name);
    else box.setAttribute(name, value);
  }
  const narrow = document.querySelector(".narrow");
  if (unfolded && narrow) narrow.open = true;
  if (within) {
    const main = document.querySelector("main");
    main.tabIndex = -1;
    ((active.name && form.elements.namedItem(active.name)) || main).focus({ preventScroll: true });
  }
  follow();
}

// A field that is being filled in stays; only what the page itself adds to the form is exchanged.
function refill(old, fresh) {
  for (const each of old.querySelectorAll("[type=hidden]")) each.remove();
  old.append(...fresh.querySelectorAll("[type=hidden]"));
}

function say(words) {
  told.textContent = words || "";
}

let asking; // aborts what is being asked, as something else is by now
let again; // the timer of another attempt
let waited = 0; // seconds before the attempt before

// Ask for the page at `address`, show it, and then do what `shown` does with the address.
async function load(address, { part = "", shown = () => {}, quiet = false } = {}) {
  asking?.abort();
  clearTimeout(again);
  const { signal } = (asking = new AbortController());
  const retry = () => load(address, { part, shown, quiet });
  const main = document.querySelector("main");
  main.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(address + part, { signal, headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!page.querySelector("main")) throw new TypeError("this is no page of ours");
    shown(address);
    show(page);
    const after = Number(response.headers.get("Retry-After"));
    if (!response.ok && after) later(after, retry);
    else waited = 0;
    const words = document.querySelector("main [data-told]")?.dataset.told;
    if (!quiet) say(words || document.querySelector("h1").textContent);
  } catch (error) {
    if (signal.aborted) return;
    waited = Math.min(30, 2 * waited || 2);
    document.body.className = "trouble";
    document.querySelector("main").replaceChildren(unreachable.content.cloneNode(true));
    say(document.querySelector("main h1").textContent);
    later(waited, retry);
  } finally {
    if (!signal.aborted) document.querySelector("main").removeAttribute("aria-busy");
  }
}

function later(seconds, retry) {
  let place = document.querySelector("main .when");
  if (!place) {
    place = document.createElement("p");
    place.className = "when";
    document.querySelector("main .main")?.append(place);
  }
  place.textContent = `Trying again in ${seconds} s.`;
  again = setTimeout(retry, 1000 * seconds);
}

// Results while one types. What is typed takes the place of what was, until it is sent off; so
// Back leads from question to question, not from letter to letter.

function address() {
  const values = new URLSearchParams(new FormData(form));
  for (const [name, value] of [...values]) if (!value.trim()) values.delete(name);
  return values.size ? `${home}?${values}` : home;
}

function typed(where) {
  if (history.state?.draft) history.replaceState({ draft: true }, "", where);
  else if (where !== location.pathname + location.search) leave({ draft: true }, where);
}

function sent(where) {
  if (history.state?.draft) history.replaceState({}, "", where);
  else if (where !== location.pathname + location.search) leave({}, where);
  scrollTo(0, 0);
}

function leave(state, where) {
  history.replaceState({ ...history.state, y: scrollY }, "");
  history.pushState(state, "", where);
}

let rested, paused;

function settle() {
  clearTimeout(rested);
  clearTimeout(paused);
  clearTimeout(again);
}

function instantly() {
  settle();
  asking?.abort();
  document.querySelector("main").removeAttribute("aria-busy");
  if (!box.value.trim()) return;
  const part = (what) => ({ part: `&instant=${what}`, shown: typed, quiet: what === "hits" });
  rested = setTimeout(() => load(address(), part("hits")), RESTED);
  paused = setTimeout(() => load(address(), part("answer")), PAUSED);
}

function submit() {
  settle();
  close();
  load(address(), { shown: sent });
}

// Completions: a combobox with a list, as the ARIA Authoring Practices have it

const list = document.createElement("ul");
let completing, soon;
let chosen = -1;

const KINDS = { name: "name", title: "article", term: "" };

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

function option(suggestion, place) {
  const item = document.createElement("li");
  set(item, { id: `option-${place}`, role: "option", "aria-selected": "false", dir: "auto" });
  const words = document.createElement("span");
  const { text, kind, article } = suggestion;
  const begun = box.value.trimStart().toLowerCase();
  if (kind === "title") words.className = "of-title";
  if (kind !== "title" && text.toLowerCase().startsWith(begun)) {
    const rest = document.createElement("b");
    rest.textContent = text.slice(begun.length);
    words.append(text.slice(0, begun.length), rest);
  } else words.append(text);
  const label = document.createElement("span");
  label.className = "kind";
  label.textContent = KINDS[kind];
  item.append(words, label);
  item.choose = () => {
    if (article) {
      location.assign(`/articles/${article}`);
      return;
    }
    box.value = text;
    if (searching) submit();
    else form.requestSubmit();
  };
  return item;
}

function choose(place) {
  if (chosen >= 0) set(list.children[chosen], { "aria-selected": "false" });
  chosen = place;
  if (chosen < 0) {
    box.removeAttribute("aria-activedescendant");
    return;
  }
  const item = list.children[chosen];
  set(item, { "aria-selected": "true" });
  set(box, { "aria-activedescendant": item.id });
  item.scrollIntoView({ block: "nearest" });
}

function close() {
  clearTimeout(soon);
  completing?.abort();
  choose(-1);
  list.hidden = true;
  set(box, { "aria-expanded": "false" });
}

async function complete() {
  const q = box.value;
  if (!q.trim()) return;
  const { signal } = (completing = new AbortController());
  let found = [];
  try {
    const response = await fetch(`/v1/suggest?${new URLSearchParams({ q, limit: 6 })}`, { signal });
    if (response.ok) found = (await response.json()).suggestions;
  } catch {
    // Without completions one types on.
  }
  if (signal.aborted) return;
  found = found.filter((each) => each.text.trim().toLowerCase() !== q.trim().toLowerCase());
  choose(-1);
  list.replaceChildren(...found.map(option));
  list.hidden = !found.length || document.activeElement !== box;
  set(box, { "aria-expanded": String(!list.hidden) });
}

function press(event) {
  if (event.isComposing) return;
  const count = list.children.length;
  if (event.key === "Escape" && !list.hidden) close();
  else if (event.key === "Enter" && chosen >= 0) {
    const item = list.children[chosen];
    close();
    item.choose();
  } else if (event.key === "ArrowDown" && list.hidden) complete();
  else if (["ArrowDown", "ArrowUp"].includes(event.key) && !list.hidden) {
    // One place more than there are options: that of what was typed.
    const step = event.key === "ArrowDown" ? 1 : -1;
    choose(((chosen + 1 + step + count + 1) % (count + 1)) - 1);
  } else return;
  event.preventDefault();
}

set(list, { id: "options", class: "options", role: "listbox", "aria-label": "Completions" });
list.hidden = true;
box.after(list);
set(box, { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false" });
set(box, { "aria-controls": list.id });
box.addEventListener("keydown", press);
box.addEventListener("blur", close);
list.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps the focus
list.addEventListener("click", (event) => {
  const item = event.target.closest("li");
  close();
  item?.choose();
});

function changed(event) {
  if (event.isComposing) return;
  close();
  soon = setTimeout(complete, COMPLETED);
  if (searching) instantly();
}

box.addEventListener("input", changed);
box.addEventListener("compositionend", changed);

if (searching) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  form.addEventListener("change", (event) => {
    if (event.target === box || !box.value.trim()) return;
    settle();
    // A year that is being typed is a year after every digit.
    paused = setTimeout(submit, event.target.type === "date" ? PAUSED : 0);
  });
  addEventListener("popstate", (event) => {
    settle();
    close();
    box.value = new URLSearchParams(location.search).get("q") || "";
    const y = event.state?.y || 0;
    load(location.pathname + location.search, { shown: () => setTimeout(() => scrollTo(0, y)) });
  });
}

// A build as it goes on

let events;

function follow() {
  events?.close();
  const place = document.querySelector("[data-events]");
  if (!place) return;
  const stages = JSON.parse(place.dataset.stages);
  const stage = place.querySelector(".stage");
  const reload = () => place.isConnected && load(location.pathname + location.search);
  events = new EventSource(place.dataset.events);
  events.addEventListener("build", ({ data }) => {
    const build = JSON.parse(data);
    if (build.finished) {
      events.close();
      reload();
      return;
    }
    const words = stages[build.stage];
    if (words && words !== stage.textContent) {
      stage.textContent = words;
      say(words);
    }
    place.querySelector("progress").value = build.total ? (100 * build.done) / build.total : 0;
  });
  events.addEventListener("error", () => {
    // Refused, as too many follow builds: then the page itself is asked for now and then.
    if (events.readyState === EventSource.CLOSED) setTimeout(reload, 2000);
  });
}

addEventListener("pagehide", () => events?.close());
addEventListener("pageshow", follow);
