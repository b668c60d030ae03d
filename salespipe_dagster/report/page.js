// The page: filters, the fragment that holds them, light and dark, and everything drawn anew on a change.

const byId = (id) => document.getElementById(id);
let chosen = fromFragment(location.hash);

function sentence() {
  const months = names(span(chosen));
  const list = (set, all, many) => (set === null ? `all ${many}` : [...set].map((i) => all[i]).join(", "));
  const gaps = missing(span(chosen)).length;
  const told = gaps ? ` (${counted(gaps, "month")} of it not published)` : "";
  const revenue = `Revenue ${money(total(chosen).revenue)}`;
  const where = list(chosen.countries, DATA.countries, "countries");
  return `${revenue} ${during(months)}${told}; ${where}; ${list(chosen.lines, DATA.lines, "product lines")}.`;
}

function render() {
  const tables = () => [...document.querySelectorAll("main details")];
  const named = (each) => each.closest("section").id + each.querySelector("summary").textContent;
  const open = new Set(tables().filter((each) => each.open).map(named));
  const cards = [];
  byId("selection").textContent = sentence();
  if (published(chosen).length) {
    cards.push(keyFigures(chosen), byMonth(chosen), byLine(chosen), byCountry(chosen));
    cards.push(top("products", DATA.products, chosen, "products"), top("customers", DATA.customers, chosen, "customers"));
  } else {
    cards.push(card("by-month", "Revenue", "No month of this period is published"));
  }
  cards.push(ageing());
  byId("main").replaceChildren(...cards);
  for (const each of tables()) each.open = open.has(named(each));
  draw();
}

function draw(printed = false) {
  for (const place of document.querySelectorAll(".plot")) place.draw(printed);
}

/** Take what the controls say, or what is given, and show it; the fragment can be sent to somebody. */
function choose(asked) {
  chosen = { ...chosen, ...asked };
  const fragment = toFragment(chosen);
  history.replaceState(null, "", fragment ? `#${fragment}` : location.pathname + location.search);
  controls();
  render();
}

function controls() {
  byId("from").value = chosen.from;
  byId("to").value = chosen.to;
  for (const [id, set, all, one, many] of [
    ["country", chosen.countries, DATA.countries, "Country", "countries"],
    ["line", chosen.lines, DATA.lines, "Product line", "product lines"],
  ]) {
    const said = set === null ? "all" : set.size === 1 ? all[[...set][0]] : `${set.size} ${many}`;
    byId(id).querySelector("summary").replaceChildren(`${one} `, element("b", {}, said));
    byId(id).querySelectorAll("input").forEach((box, i) => { box.checked = set?.has(i) ?? false; });
  }
}

function setUpFilters() {
  for (const id of ["from", "to"]) {
    byId(id).append(...DATA.months.map((month, i) =>
      element("option", { value: i }, monthName(month) + (PUBLISHED.has(i) ? "" : " (not published)"))));
  }
  byId("from").addEventListener("change", (event) => {
    const from = Number(event.target.value);
    choose({ from, to: Math.max(from, chosen.to) });
  });
  byId("to").addEventListener("change", (event) => {
    const to = Number(event.target.value);
    choose({ to, from: Math.min(to, chosen.from) });
  });
  for (const [id, field, all] of [["country", "countries", DATA.countries], ["line", "lines", DATA.lines]]) {
    const box = (name) => element("label", {}, element("input", { type: "checkbox" }), element("span", {}, name));
    const menu = byId(id).querySelector(".menu");
    menu.append(...all.map(box));
    menu.addEventListener("change", () => {
      const boxes = [...menu.querySelectorAll("input")];
      choose({ [field]: some(boxes.flatMap((each, i) => (each.checked ? [i] : [])), all) });
    });
  }
  byId("reset").addEventListener("click", () => choose(everything()));
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", () => { chosen = fromFragment(location.hash); controls(); render(); });
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll(".choice[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    byId("tip").hidden = true;
    for (const menu of document.querySelectorAll(".choice[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}

function setUpTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const kept = (value) => { // a file opened from a disk may not be allowed to keep anything
    try { return value ? localStorage.setItem("theme", value) : localStorage.getItem("theme"); } catch { return null; }
  };
  const set = (theme) => {
    document.documentElement.dataset.theme = theme;
    byId("theme").textContent = theme === "dark" ? "Light" : "Dark";
  };
  set(kept() ?? (dark.matches ? "dark" : "light"));
  dark.addEventListener("change", () => { if (!kept()) set(dark.matches ? "dark" : "light"); });
  byId("theme").addEventListener("click", () => {
    set(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
    kept(document.documentElement.dataset.theme);
  });
}

/** What is said of a bar or a dash, beside the pointer or the focus. */
function setUpTips() {
  const tip = byId("tip");
  const show = (target, x, y) => {
    const text = target.closest?.("[data-tip]")?.getAttribute("data-tip");
    tip.hidden = !text;
    if (!text) return;
    tip.textContent = text;
    tip.style.left = `${Math.max(8, Math.min(x + 14, innerWidth - tip.offsetWidth - 8))}px`;
    tip.style.top = `${y + 18 + tip.offsetHeight > innerHeight ? y - tip.offsetHeight - 10 : y + 18}px`;
  };
  document.addEventListener("pointermove", (event) => show(event.target, event.clientX, event.clientY));
  document.addEventListener("pointerdown", (event) => show(event.target, event.clientX, event.clientY));
  document.addEventListener("focusin", (event) => {
    const box = event.target.getBoundingClientRect();
    show(event.target, box.left, box.bottom - 10);
  });
  addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
}

function start() {
  const said = DATA.coverage.replace(/^c/, "C");
  byId("coverage").textContent = `${said}. Amounts in ${DATA.currency}.`;
  byId("print").addEventListener("click", () => print());
  setUpTheme();
  setUpTips();
  byId("footer").textContent = `Figures: the marts, reconciled with the source to the cent${DATA.run ? `; published by run ${DATA.run}` : ""}.`;
  if (DATA.months.length === 0) {
    for (const id of ["filters", "selection"]) byId(id).hidden = true;
    byId("main").append(card("empty", "Revenue", "No month is published yet", note("The report fills as months are published.")));
  } else {
    document.title = `Wholesale sales, ${period(DATA.months)}`;
    setUpFilters();
    controls();
    render();
    addEventListener("beforeprint", () => draw(true));
    addEventListener("afterprint", () => draw());
    let width = innerWidth;
    addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; draw(); } });
  }
  document.documentElement.dataset.ready = Math.round(performance.now());
}

start();
