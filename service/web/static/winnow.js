// Comfort for the search page: completions, results while one types, builds as they go on. All of
// it asks for what the pages are without it; what is shown is always a page that the server made.

const form = document.getElementById("ask");
const box = form.elements.q;
const told = document.getElementById("told");
const unreachable = document.getElementById("unreachable");
const home = new URL(form.action).pathname;
const searching = location.pathname === home;

const COMPLETED = 80; // ms without a key before completions are asked for
const PAUSED = 400; // and before an answer is, which takes a model

// Pages in place of the one shown

const PARTS = [".brand", ".lead", ".filters", "main", "footer"];

function show(page, anew) {
  const active = document.activeElement;
  const unfolded = document.querySelector(".narrow")?.open;
  document.title = page.title;
  document.body.className = page.body.className;
  for (const part of PARTS) {
    const old = document.querySelector(part);
    const fresh = page.querySelector(part);
    if (part === ".filters" && !anew && old?.contains(active) && fresh) refill(old, fresh);
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
  if (!active.isConnected) {
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

// Show the page at `where`, after `shown` was told; `part` says how much of it is asked for, and
// `retry` asks once more after trouble. Resolves to whether all went well.
async function load(where, options = {}) {
  const { part = "", shown = () => {}, retry = () => load(where, options) } = options;
  asking?.abort();
  clearTimeout(again);
  const { signal } = (asking = new AbortController());
  const busy = document.querySelector("main");
  busy.setAttribute("aria-busy", "true");
  let response, text;
  try {
    response = await fetch(where + part, { signal, headers: { Accept: "text/html" } });
    text = await response.text();
  } catch {
    if (!signal.aborted) lost(retry);
    return false;
  }
  const page = new DOMParser().parseFromString(text, "text/html");
  if (!page.querySelector("#told")) {
    lost(retry); // somebody else answered, such as a proxy
    return false;
  }
  shown(where);
  show(page, options.anew);
  const words = document.querySelector("main [data-told]")?.dataset.told;
  if (!options.quiet || !response.ok) say(words || document.querySelector("h1").textContent);
  waited = 0;
  const after = Number(response.headers.get("Retry-After"));
  if (!response.ok && after) later(after, retry);
  return response.ok;
}

function lost(retry) {
  const main = document.querySelector("main");
  document.body.className = "trouble";
  main.removeAttribute("aria-busy");
  main.replaceChildren(unreachable.content.cloneNode(true));
  say(main.querySelector("h2").textContent);
  waited = Math.min(30, 2 * waited || 2);
  later(waited, retry);
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

const here = () => location.pathname + location.search;

function typed(where) {
  try {
    if (history.state?.draft) history.replaceState({ draft: true }, "", where);
    else if (where !== here()) leave({ draft: true }, where);
  } catch {
    // Some browsers will not be told so many addresses in so short a time; the next will do.
  }
}

function sent(where) {
  if (history.state?.draft) history.replaceState({}, "", where);
  else if (where !== here()) leave({}, where);
  scrollTo(0, 0);
}

function leave(state, where) {
  history.replaceState({ ...history.state, y: scrollY }, "");
  history.pushState(state, "", where);
}

let paused;
let coming = false; // whether hits are, for something that was typed
let wanted = false; // and whether something else was typed since

function settle() {
  wanted = false;
  clearTimeout(paused);
  clearTimeout(again);
}

// What comes in while the browser is on its way elsewhere would call it back.
function stop() {
  settle();
  asking?.abort();
  document.querySelector("main").removeAttribute("aria-busy");
}

// Hits are asked for with every key. Those on their way are not given up for the next, as the service
// would go on with them; of what is typed meanwhile, only the last is asked for.
async function instantly() {
  const empty = !box.value.trim();
  if (coming && !empty) {
    settle();
    wanted = true;
    return;
  }
  stop();
  if (empty) return;
  const asked = { shown: typed, retry: instantly };
  const pause = new Promise((end) => (paused = setTimeout(end, PAUSED)));
  const where = address();
  coming = true;
  const well = await load(where, { ...asked, part: "&instant=hits", quiet: true });
  coming = false;
  if (wanted) {
    instantly();
    return;
  }
  // Hits that take long are not given up for the answer either, which would take longer.
  if (!well) return;
  await pause; // and for ever, if something is typed meanwhile
  load(where, { ...asked, part: "&instant=answer" });
}

function submit() {
  settle();
  close();
  const where = address();
  // Sent as it is shown: no more a draft, even if something else is asked before this is answered.
  if (where === here()) history.replaceState({}, "");
  load(where, { shown: sent });
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
      stop();
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

function settleCompletions() {
  clearTimeout(soon);
  completing?.abort();
}

function close() {
  settleCompletions();
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
  const same = (text) => text.toLowerCase() === q.trim().toLowerCase();
  found = found.filter(({ text, article }) => article || !same(text));
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
    settleCompletions(); // nothing is exchanged under the hand of who chooses
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
  if (box.value.trim()) {
    settleCompletions();
    choose(-1);
    soon = setTimeout(complete, COMPLETED);
  } else close();
  if (searching) instantly();
}

box.addEventListener("input", changed);
box.addEventListener("compositionend", changed);

document.addEventListener("click", (event) => {
  if (event.target.closest("a")) stop();
});

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
    const shown = () => setTimeout(() => scrollTo(0, y));
    load(here(), { shown, anew: true });
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
  const reload = () => place.isConnected && load(here());
  events = new EventSource(place.dataset.events);
  events.addEventListener("build", ({ data }) => {
    const build = JSON.parse(data);
    if (build.finished) {
      events.close();
      reload();
      return;
    }
    const words = stages[build.stage ?? build.state];
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
