// The cards of the page, each a function of what is chosen.

const MOST_BARS = 15;
const MOST_PANELS = 12;
const HEADS = ["revenue", "ordered", "cancelled", "margin", "units"];

/** A picture that is drawn as soon as its width is known, again when that changes, and for a sheet of paper. */
function plot(draw, height, paper) {
  const place = element("div", { class: "plot" });
  place.draw = (printed) => place.replaceChildren(printed ? draw(...paper) : draw(Math.max(place.clientWidth, 120), height));
  return place;
}

function money(cents) {
  return `${DATA.currency} ${exact(cents)}`;
}

function shown(name, value) {
  return ["units", "orders", "customers"].includes(name) ? number(value) : exact(value);
}

function cellsOf(measures) {
  return HEADS.map((name) => shown(name, measures[name]));
}

function heads(first) {
  return [first, ...HEADS.map((name) => (name === "units" ? LABELS[name] : `${LABELS[name]}, ${DATA.currency}`))];
}

function sumRow(measures) {
  return ["Sum", ...cellsOf(measures)];
}

function missing(places) {
  return places.filter((i) => !PUBLISHED.has(i));
}

/** A value, or a dash that says why there is none. */
function valueOf(name, value) {
  if (typeof value === "number") return element("strong", { class: shown(name, value).length > 13 ? "long" : "" }, shown(name, value));
  return element("strong", { class: "none", tabindex: 0, "data-tip": `Not shown: ${value}`, "aria-label": `not shown: ${value}` }, DASH);
}

function changeLine(name, now, before, month) {
  const against = month === undefined ? "" : `vs ${monthName(month)}`;
  const line = (text, why) => element("span", why ? { class: "change", tabindex: 0, "data-tip": why } : { class: "change" },
    element("b", {}, text), ` ${against}`);
  if (month === undefined) return element("span", { class: "change" }, `${DASH} no month before`);
  if (before === null) return line(DASH, `${monthName(month)} is not published`);
  if (typeof now !== "number" || typeof before[name] !== "number") return line(DASH, "one of the two is not shown");
  return line(change(now, before[name]), `it was ${shown(name, before[name])}`);
}

function keyFigures(chosen) {
  const months = published(chosen);
  const month = months[months.length - 1];
  const now = ofMonth(chosen, month);
  const earlier = [1, 12].map((back) => [DATA.months[month - back] ?? earlierName(month, back), month - back]);
  const sum = total(chosen);
  const tiles = Object.keys(LABELS).map((name) => {
    const known = typeof now[name] === "number";
    const changes = !known ? [element("span", { class: "change" }, now[name])] : earlier.map(([text, place]) => changeLine(name, now[name], ofMonth(chosen, place), text));
    const whole = !known ? "" : name in sum
      ? element("span", { class: "whole" }, `${counted(months.length, "month")}: `, element("b", {}, shown(name, sum[name])))
      : element("span", { class: "whole" }, "not added up over months");
    const unit = ["units", "orders", "customers"].includes(name) ? "" : `, ${DATA.currency}`;
    const lines = [element("span", { class: "label" }, LABELS[name], element("small", {}, unit)), valueOf(name, now[name]), ...changes, whole];
    return element("div", { class: "tile", id: `key-${name}` }, ...lines);
  });
  const section = element("section", { id: "key", "aria-labelledby": "key-title" });
  section.append(
    element("h2", { id: "key-title" }, `${monthName(DATA.months[month])} in figures`),
    element("div", { class: "tiles" }, ...tiles),
  );
  return section;
}

/** The month so many months before, also where the page begins later. */
function earlierName(month, back) {
  const [year, number] = DATA.months[month].split("-").map(Number);
  const index = year * 12 + number - 1 - back;
  return `${String(Math.floor(index / 12)).padStart(4, "0")}-${String((index % 12) + 1).padStart(2, "0")}`;
}

function monthFinding(months, values) {
  const top = Math.max(...values);
  if (values.every((value) => value === 0)) return `No revenue ${during(names(months))}`;
  const amount = `${DATA.currency} ${short(top)}`;
  const highest = months.filter((_, i) => values[i] === top).map((i) => monthName(DATA.months[i]));
  if (months.length === 1) return `Revenue was ${amount} in ${highest[0]}`;
  if (highest.length === months.length) return `Revenue was the same in all ${months.length} months: ${amount}`;
  return `Revenue was highest in ${enumeration(highest, "months")}: ${amount}${highest.length > 1 ? " each" : ""}`;
}

function byMonth(chosen) {
  const found = sums(chosen, (month) => month);
  const places = span(chosen);
  const of = (i) => (PUBLISHED.has(i) ? found.get(i) ?? nothing() : null);
  const months = published(chosen);
  const finding = monthFinding(months, months.map((i) => of(i).revenue));
  const series = [
    { colour: DATA.look.revenue, values: places.map((i) => of(i)?.revenue ?? null) },
    { colour: DATA.look.cancelled, values: places.map((i) => of(i)?.cancelled ?? null) },
  ];
  const cancelled = series[1].values.some((value) => value);
  const tips = places.map((i) => {
    const lines = of(i) ? [`Revenue ${money(of(i).revenue)}`, `Cancelled ${money(of(i).cancelled)}`] : ["not published"];
    return [monthName(DATA.months[i]), ...lines].join("\n");
  });
  const label = `Columns of revenue and cancelled amounts by month. ${finding}.`;
  const legend = element("p", { class: "legend" }, key(DATA.look.revenue, "Revenue"));
  if (cancelled) legend.append(key(DATA.look.cancelled, "Cancelled, not in revenue"));
  else series.pop();
  const gaps = missing(places);
  if (gaps.length) legend.append(key("", "Not published"));
  const rows = places.map((i) => [monthName(DATA.months[i]), ...(of(i) ? cellsOf(of(i)) : HEADS.map(() => DASH))]).reverse();
  return card(
    "by-month", "Revenue by month", finding, legend,
    plot((width, height) => columns({ width, height, months: names(places), series, tips, most: 5, label }), 280, [680, 190]),
    table(heads("Month"), rows, sumRow(total(chosen))),
  );
}

function key(colour, text) {
  const mark = element("i", { class: colour ? "mark" : "mark missing" });
  if (colour) mark.style.background = colour;
  return element("span", {}, mark, text);
}

/** Ranked bars of entities with revenue, the smallest together, and the figures of all. */
function rankedCard(name, kind, entities, whole, chosen, { makes, many, head, colour, notes = [], restAsBar = false, more = null }) {
  const finding = leader(entities, whole.revenue, names(published(chosen)), makes, many);
  const shares = whole.revenue > 0 && entities.every((entity) => entity.revenue >= 0);
  const first = entities.length <= MOST_BARS ? entities : entities.slice(0, MOST_BARS - 1);
  const rest = entities.slice(first.length);
  const row = (entity, hue) => ({
    name: entity.name, value: entity.revenue, colour: hue,
    beside: shares ? share(entity.revenue, whole.revenue).replace("under ", "<").replace("over ", ">") : "",
    tip: `${entity.name}\nRevenue ${money(entity.revenue)}`,
  });
  const rows = first.map((entity) => row(entity, colour));
  const left = rest.length + (more?.count ?? 0);
  const others = together([...rest, ...(more ? [more.sums] : [])]);
  if (left && restAsBar) rows.push(row({ name: `${left} other ${many}`, ...others }, DATA.look.other));
  if (left && !restAsBar) notes = [`${DATA.currency} ${short(others.revenue)} from ${left} more that have no bar.`, ...notes];
  const figures = entities.map((entity) => [entity.name, ...cellsOf(entity)]);
  if (more) figures.push([`${more.count} more`, ...cellsOf(more.sums)]);
  return card(
    name, kind, finding, bars(rows, `Bars: ${kind}. ${finding}.`), ...notes.map(note),
    table(heads(head), figures, sumRow(whole)),
  );
}

function byCountry(chosen) {
  const found = sums(chosen, (_, country) => country);
  const entities = ranked([...found].map(([i, measures]) => ({ name: DATA.countries[i], ...measures })));
  const kind = { makes: "makes", many: "countries", head: "Country", colour: DATA.look.revenue, restAsBar: true };
  return rankedCard("by-country", "Revenue by country", entities, total(chosen), chosen, kind);
}

/** Products or customers; where a filter cannot act on them, that is said. */
function top(name, list, chosen, many) {
  const entities = ranking(list, chosen);
  const deaf = [];
  if (chosen.countries !== null) deaf.push("country");
  if (chosen.lines !== null && !list.by.includes("line")) deaf.push("product line");
  const cut = chosen.from !== 0 || chosen.to !== DATA.months.length - 1;
  const all = cut && !list.by.includes("month");
  const notes = [];
  if (deaf.length) notes.push(`Not by ${deaf.join(" or ")}: there are no figures of ${many} by ${deaf.join(" or ")}, so these are of all.`);
  if (all) notes.push(`Not by period: these are of all published months (${DATA.coverage}).`);
  const more = list.rest[0] > 0 ? { count: list.rest[0], sums: nothing() } : null;
  if (more) add(more.sums, list.rest, 1);
  const whole = together([...entities, ...(more ? [more.sums] : [])]);
  const head = many === "products" ? "Product" : "Customer";
  const shownMonths = all ? everything() : chosen;
  const kind = `Top ${many}${deaf.length ? `, all ${deaf.map((each) => (each === "country" ? "countries" : "product lines")).join(" and ")}` : ""}`;
  return rankedCard(name, kind, entities, whole, shownMonths, { makes: "makes", many, head, colour: DATA.look.revenue, notes, more });
}

function byLine(chosen) {
  const found = sums(chosen, (month, _, line) => `${line} ${month}`);
  const places = span(chosen);
  const entities = ranked([...sums(chosen, (_, __, line) => line)].map(([i, measures]) => ({ i, name: DATA.lines[i], ...measures })));
  const whole = total(chosen);
  const finding = leader(entities, whole.revenue, names(published(chosen)), "make", "product lines");
  const first = entities.length <= MOST_PANELS ? entities : entities.slice(0, MOST_PANELS - 1);
  const rest = entities.slice(first.length);
  const at = (line, month) => found.get(`${line} ${month}`)?.revenue ?? 0;
  const values = (lines) => places.map((month) => (PUBLISHED.has(month) ? lines.reduce((sum, line) => sum + at(line, month), 0) : null));
  const panels = first.map((each) => ({ ...each, colour: DATA.colours[each.i], values: values([each.i]) }));
  if (rest.length) {
    const others = { name: `${rest.length} other lines`, ...together(rest), colour: DATA.look.other };
    panels.push({ ...others, values: values(rest.map((each) => each.i)) });
  }
  const scale = panels.flatMap((panel) => panel.values.filter((value) => value !== null));
  const [low, high] = [Math.min(0, ...scale), Math.max(0, ...scale)];
  const shares = whole.revenue > 0 && entities.every((entity) => entity.revenue >= 0);
  const drawnPanels = panels.map((panel) => {
    const tips = places.map((month, n) =>
      `${panel.name}, ${monthName(DATA.months[month])}\n${panel.values[n] === null ? "not published" : `Revenue ${money(panel.values[n])}`}`);
    const said = `${short(panel.revenue)}${shares ? ` (${share(panel.revenue, whole.revenue)})` : ""}`;
    const heading = element("h3", {}, element("span", { class: "name", "data-tip": panel.name }, panel.name), element("span", {}, said));
    const label = `Columns of revenue by month: ${panel.name}`;
    const series = [{ colour: panel.colour, values: panel.values }];
    const draw = (width, height) => columns({ width, height, months: names(places), series, tips, most: 2, label, low, high });
    return element("div", { class: "panel" }, heading, plot(draw, 130, [165, 84]));
  });
  return card(
    "by-line", "Revenue by product line and month", finding, element("div", { class: "panels" }, ...drawnPanels),
    ...(panels.length > 1 ? [note("All panels have one scale.")] : []),
    table(heads("Product line"), entities.map((entity) => [entity.name, ...cellsOf(entity)]), sumRow(whole)),
  );
}

function owedFinding(open, [bucket, amount], shares) {
  if (open === 0) return "Customers owe nothing";
  if (!shares) return `Customers owe ${DATA.currency} ${short(open)}`; // a part of that says nothing
  const part = { 0: "Nothing", [open]: "All" }[amount] ?? share(amount, open).replace(/^\w/, (first) => first.toUpperCase());
  return `${part} of what customers owe is older than ${bucket.replace("over ", "")}`;
}

function ageing() {
  const { asOf, buckets, debtors } = DATA.ageing;
  const owed = buckets.slice(0, -1);
  const open = owed.reduce((sum, [, amount]) => sum + amount, 0);
  const oldest = owed[owed.length - 1];
  const shares = open > 0 && owed.every(([, amount]) => amount >= 0);
  const finding = owedFinding(open, oldest, shares);
  const rows = buckets.map(([bucket, amount]) => ({
    name: bucket === "credit" ? "Paid ahead" : bucket, value: amount, tip: `${bucket}\n${money(amount)}`,
    colour: bucket === "credit" ? DATA.look.other : DATA.look.revenue,
    beside: bucket !== "credit" && shares ? share(amount, open) : "",
  }));
  const column = (text) => `${text}, ${DATA.currency}`;
  const who = table(["Customers who owe most", column("Open"), column(oldest[0])], debtors.map(([name, all, old]) => [name, exact(all), exact(old)]));
  who.querySelector("summary").textContent = "Customers who owe most";
  const sum = ["Sum", exact(buckets.reduce((whole, [, amount]) => whole + amount, 0))];
  const content = [
    bars(rows, `Bars: open amounts by age. ${finding}.`),
    note(`${asOf ? `As of ${dayName(asOf)}, all` : "All"} customers: the filters do not act on it.`),
    table(["Age", column("Open")], rows.map((row) => [row.name, exact(row.value)]), sum),
  ];
  return card("ageing", "Receivables by age", finding, ...content, ...(debtors.length ? [who] : []));
}
