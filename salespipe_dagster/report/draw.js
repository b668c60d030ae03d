// Elements, columns over months as SVG, ranked bars, tables. Names are set as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";
const SMALL = 12; // pixels of the texts of an axis
const measure = document.createElement("canvas").getContext("2d");

function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

function drawn(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function widthOf(text) {
  measure.font = `${SMALL}px ${getComputedStyle(document.body).fontFamily}`;
  return measure.measureText(text).width;
}

/** Round amounts from low to high, zero among them, about `most` of them. */
function ticks(low, high, most) {
  const rough = Math.max((high - low) / most, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough);
  const found = [];
  for (let i = Math.floor(low / step); i <= Math.ceil(high / step); i += 1) found.push(i * step);
  return found;
}

/** The places of the months that are labelled, as many as there is room for, each with its lines of text. */
function monthTicks(months, band) {
  const room = Math.max(widthOf("Mmm"), widthOf("2024")) + 8;
  const step = [1, 3, 6, 12, 24, 60, 120].find((each) => each * band >= room) ?? 240;
  const number = (month) => Number(month.slice(0, 4)) * 12 + Number(month.slice(5)) - 1;
  let places = months.map((_, i) => i).filter((i) => number(months[i]) % step === 0);
  if (places.length === 0) places = [0];
  return places.map((i, n) => {
    const [name, year] = monthName(months[i]).split(" ");
    if (step >= 12 && name === "Jan") return [i, year, ""];
    return [i, name, n === 0 || name === "Jan" ? year : ""];
  });
}

/** Columns from zero over months, series side by side; a month that is not published is a grey band. */
function columns({ width, height, months, series, tips, most, label, low = 0, high = 0 }) {
  const values = series.flatMap((each) => each.values.filter((value) => value !== null));
  const marks = ticks(Math.min(0, low, ...values), Math.max(0, high, ...values) || 1, most);
  const [bottom, top] = [marks[0], marks[marks.length - 1]];
  const left = Math.ceil(Math.max(...marks.map((mark) => widthOf(tick(mark))))) + 8;
  const band = (width - left) / months.length;
  const labels = monthTicks(months, band);
  const [above, below] = [10, (labels.some(([, , year]) => year) ? 2 * SMALL + 4 : SMALL) + 10];
  const y = (value) => above + ((top - value) / (top - bottom)) * (height - above - below);
  const picture = drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  for (const mark of marks) {
    picture.append(
      drawn("line", { class: mark === 0 ? "zero" : "grid", x1: left, x2: width, y1: y(mark), y2: y(mark) }),
      drawn("text", { class: "tick", x: left - 6, y: y(mark) + 4, "text-anchor": "end" }, tick(mark)),
    );
  }
  months.forEach((_, i) => {
    const begin = left + i * band;
    const slot = Math.min((band * (band > 6 ? 0.76 : 0.9)) / series.length, 56);
    const inset = (band - slot * series.length) / 2;
    series.forEach((each, n) => {
      const value = each.values[i];
      if (!value) return;
      const [from, to] = [y(Math.max(value, 0)), y(Math.min(value, 0))];
      const size = { x: begin + inset + n * slot, y: from, width: slot, height: Math.max(to - from, 0.5) };
      picture.append(drawn("rect", { fill: each.colour, ...size }));
    });
    const missing = series[0].values[i] === null ? "missing" : "hit";
    const whole = { x: begin, y: above, width: band, height: height - above - below };
    picture.append(drawn("rect", { class: missing, "data-tip": tips[i], ...whole }));
  });
  for (const [i, name, year] of labels) {
    const half = Math.max(widthOf(name), widthOf(year)) / 2;
    const x = Math.max(left - 4 + half, Math.min(left + (i + 0.5) * band, width - half));
    const text = (row, line) => drawn("text", { class: "tick", x, y: height - below + row, "text-anchor": "middle" }, line);
    picture.append(text(16, name));
    if (year) picture.append(text(16 + SMALL + 4, year));
  }
  return picture;
}

/** Bars from zero, one row each: name, bar, amount and what is said beside it. */
function bars(rows, label) {
  const low = Math.min(0, ...rows.map((row) => row.value));
  const high = Math.max(0, ...rows.map((row) => row.value));
  const whole = high - low || 1;
  const list = element("div", { class: "bars", role: "img", "aria-label": label });
  for (const row of rows) {
    const bar = element("i", { class: "bar" });
    bar.style.left = `${(100 * (Math.min(row.value, 0) - low)) / whole}%`;
    bar.style.width = `${(100 * Math.abs(row.value)) / whole}%`;
    bar.style.background = row.colour;
    list.append(
      element("span", { class: "name", "data-tip": row.tip }, row.name),
      element("span", { class: "track", "data-tip": row.tip }, bar),
      element("span", { class: "amount" }, short(row.value)),
      element("span", { class: "share" }, row.beside ?? ""),
    );
  }
  return list;
}

/** The figures behind a chart, at most `most` rows and the sum of all. */
function table(heads, rows, sum, most = 120) {
  const cells = (tag, row) =>
    row.map((cell, i) => element(i === 0 ? "th" : tag, i === 0 ? { scope: tag === "th" ? "col" : "row" } : {}, cell));
  const body = rows.slice(0, most).map((row) => element("tr", {}, ...cells("td", row)));
  const left = rows.length - body.length;
  const grid = element(
    "table", {},
    element("thead", {}, element("tr", {}, ...cells("th", heads))),
    element("tbody", {}, ...body),
  );
  if (sum) grid.append(element("tfoot", {}, element("tr", {}, ...cells("td", sum))));
  const more = left ? [element("p", { class: "note" }, `${counted(left, "more row")} not shown; the sum has them all.`)] : [];
  const scrolled = element("div", { class: "scrolled", tabindex: 0, role: "region", "aria-label": "Figures" }, grid);
  return element("details", { class: "figures" }, element("summary", {}, "Figures"), scrolled, ...more);
}

/** One chart with its kind, its finding, notes, and the figures behind it. */
function card(name, kind, finding, ...content) {
  const section = element("section", { class: "card", id: name, "aria-labelledby": `${name}-title` });
  const heading = element("h2", { id: `${name}-title` }, finding);
  section.append(element("p", { class: "kind" }, kind), heading, ...content);
  return section;
}

function note(text) {
  return element("p", { class: "note" }, text);
}
