// What is chosen, and the sums of it. Sums are of whole numbers; the page was made only if they are exact.

const DATA = JSON.parse(document.getElementById("data").textContent);
const MEASURES = ["ordered", "cancelled", "revenue", "margin", "units"];
const LABELS = {
  revenue: "Revenue", ordered: "Ordered", cancelled: "Cancelled", margin: "Margin", units: "Units",
  orders: "Orders", customers: "Customers", average: "Average order",
};
const PUBLISHED = new Set(DATA.published);

/** Everything: all months, and null for all countries and all product lines. */
function everything() {
  return { from: 0, to: DATA.months.length - 1, countries: null, lines: null };
}

/** What a fragment says; what it names that is not there is left out. */
function fromFragment(text) {
  const asked = new URLSearchParams(text.replace(/^#/, ""));
  const chosen = everything();
  const place = (name) => DATA.months.indexOf(asked.get(name));
  if (place("from") >= 0) chosen.from = place("from");
  if (place("to") >= 0) chosen.to = place("to");
  if (chosen.from > chosen.to) [chosen.from, chosen.to] = [chosen.to, chosen.from];
  const several = (name, all) => some(asked.getAll(name).map((each) => all.indexOf(each)).filter((i) => i >= 0), all);
  chosen.countries = several("country", DATA.countries);
  chosen.lines = several("line", DATA.lines);
  return chosen;
}

/** The fragment that says it; empty for everything. */
function toFragment(chosen) {
  const said = new URLSearchParams();
  if (chosen.from !== 0) said.append("from", DATA.months[chosen.from]);
  if (chosen.to !== DATA.months.length - 1) said.append("to", DATA.months[chosen.to]);
  for (const i of chosen.countries ?? []) said.append("country", DATA.countries[i]);
  for (const i of chosen.lines ?? []) said.append("line", DATA.lines[i]);
  return said.toString();
}

/** The places as a set; null, which is all, where none or every one is chosen. */
function some(places, all) {
  const set = new Set([...places].sort((a, b) => a - b));
  return set.size === 0 || set.size === all.length ? null : set;
}

/** All months from first to last that are chosen, those that are not published included. */
function span(chosen) {
  const places = [];
  for (let i = chosen.from; i <= chosen.to; i += 1) places.push(i);
  return places;
}

function published(chosen) {
  return span(chosen).filter((i) => PUBLISHED.has(i));
}

function names(places) {
  return places.map((i) => DATA.months[i]);
}

function nothing() {
  return Object.fromEntries(MEASURES.map((name) => [name, 0]));
}

function add(sums, row, first) {
  MEASURES.forEach((name, i) => { sums[name] += row[first + i]; });
}

function chosenLine(chosen, line) {
  return chosen.lines === null || chosen.lines.has(line);
}

/** The sums of the cube's rows, by whatever `key` says of (month, country, line). */
function sums(chosen, key) {
  const found = new Map();
  for (const row of DATA.cube) {
    const [month, country, line] = row;
    if (month < chosen.from || month > chosen.to || !chosenLine(chosen, line)) continue;
    if (chosen.countries !== null && !chosen.countries.has(country)) continue;
    const place = key(month, country, line);
    if (!found.has(place)) found.set(place, nothing());
    add(found.get(place), row, 3);
  }
  return found;
}

function total(chosen) {
  return sums(chosen, () => 0).get(0) ?? nothing();
}

/** A single month of the same selection. */
function inMonth(chosen, month) {
  return { ...chosen, from: month, to: month };
}

/** Orders, customers and average order of one month, where a mart holds just this selection; else why not. */
function counts(chosen, month) {
  const [countries, lines] = [chosen.countries, chosen.lines];
  if (countries === null && lines === null) {
    const row = DATA.counts.find((each) => each[0] === month) ?? [month, 0, 0, null];
    return { orders: row[1], customers: row[2], average: row[3] ?? "no order in this month" };
  }
  const why = "cannot be added up, and is not counted for this selection";
  const found = { orders: why, customers: why, average: why };
  if (countries?.size === 1 || DATA.countries.length === 1) {
    const country = countries === null ? 0 : [...countries][0];
    if (lines === null) {
      found.orders = DATA.countryOrders.find((row) => row[0] === month && row[1] === country)?.[2] ?? 0;
    } else if (lines.size === 1) {
      const [line] = lines;
      const row = DATA.cube.find((each) => each[0] === month && each[1] === country && each[2] === line);
      found.orders = row?.[8] ?? 0;
    }
  }
  return found;
}

/** All key figures of one month; null where it is not published. */
function ofMonth(chosen, month) {
  if (!PUBLISHED.has(month)) return null;
  return { ...total(inMonth(chosen, month)), ...counts(chosen, month) };
}

/** Products or customers with their sums, the largest revenue first, as far as filters act on them. */
function ranking(list, chosen) {
  const found = new Map();
  for (const row of list.rows) {
    if (list.by.includes("month") && (row[0] < chosen.from || row[0] > chosen.to)) continue;
    if (list.by.includes("line") && !chosenLine(chosen, row[1])) continue;
    if (!found.has(row[2])) found.set(row[2], { name: list.names[row[2]], ...nothing() });
    add(found.get(row[2]), row, 3);
  }
  return ranked([...found.values()]);
}

function ranked(entities) {
  return entities.sort((a, b) => b.revenue - a.revenue || (a.name < b.name ? -1 : 1));
}

function together(entities) {
  const sum = nothing();
  for (const entity of entities) for (const name of MEASURES) sum[name] += entity[name];
  return sum;
}

/** The finding "USA makes 35% of revenue", also where there is none, or more than one, to name. */
function leader(entities, whole, months, makes, many) {
  if (months.length === 0) return "No published month in this period";
  if (!entities.some((entity) => entity.revenue !== 0)) return `No revenue ${during(months)}`;
  const top = Math.max(...entities.map((entity) => entity.revenue));
  const first = entities.filter((entity) => entity.revenue === top).map((entity) => entity.name);
  const who = enumeration(first, many);
  const each = first.length > 1 ? " each" : "";
  if (whole < top || entities.some((entity) => entity.revenue < 0)) {
    return `Highest revenue: ${who}, ${DATA.currency} ${short(top)}${each}`;
  }
  if (top === whole) return `${who} ${makes} all revenue`;
  return `${who} ${each ? "each make" : makes} ${share(top, whole)} of revenue`;
}
