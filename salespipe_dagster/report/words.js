// Amounts, shares, months and names as a reader sees them; amounts are whole cents, never fractions.

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MINUS = "\u2212";
const DASH = "\u2013";

function grouped(digits) {
  return digits.replace(/\B(?=(\d{3})+$)/g, ",");
}

/** To the cent: 1,234,567.80. Cut from the digits, so that nothing is rounded on the way. */
function exact(cents) {
  const digits = String(Math.abs(cents)).padStart(3, "0");
  return `${cents < 0 ? MINUS : ""}${grouped(digits.slice(0, -2))}.${digits.slice(-2)}`;
}

/** A number of things: 1,234. */
function number(value) {
  return `${value < 0 ? MINUS : ""}${grouped(String(Math.abs(value)))}`;
}

/** To three digits, half up: 1.23M, 45.6k; an amount under a thousand is exact. */
function short(cents) {
  const digits = String(Math.abs(cents));
  if (digits.length <= 5) return exact(cents).replace(/\.00$/, "");
  let head = Number(digits.slice(0, 3)) + (digits[3] >= "5" ? 1 : 0);
  let power = digits.length - 3; // of ten, of the first digit, in whole units
  if (head === 1000) [head, power] = [100, power + 1];
  const thousands = Math.min(Math.floor(power / 3), 4);
  const before = power - 3 * thousands + 1;
  const text = String(head).padEnd(before, "0");
  const whole = before < 3 ? `${text.slice(0, before)}.${text.slice(before)}` : text;
  return `${cents < 0 ? MINUS : ""}${whole}${["", "k", "M", "B", "T"][thousands]}`;
}

/** The label of a tick: as short, without zeros at its end. */
function tick(cents) {
  return short(cents).replace(/(\.\d*?)0+(?=[kMBT]?$)/, "$1").replace(/\.(?=[kMBT]?$)/, "");
}

/** So many parts of a whole, half up; in whole numbers, as a fraction may lie beside the half. */
function rounded(many, part, whole) {
  return Number((2n * BigInt(many) * BigInt(part) + BigInt(whole)) / (2n * BigInt(whole)));
}

/** The part in percent; 0% and 100% only where that is exact. */
function share(part, whole) {
  const percent = (100 * part) / whole;
  if (percent > 0 && percent < 1) return "under 1%";
  if (percent > 99 && percent < 100) return "over 99%";
  return `${rounded(100, part, whole)}%`;
}

/** By how much it is more or less than before, in percent; a dash where that is not known or says nothing. */
function change(now, before) {
  if (now === before) return "unchanged";
  if (before === null || before <= 0 || now < 0) return DASH;
  const [sign, by] = now > before ? ["+", now - before] : [MINUS, before - now];
  const percent = rounded(100, by, before);
  if (percent >= 1000) return `${short(100 * rounded(1, now, before))} times`;
  if (10 * by >= before) return `${sign}${percent}%`;
  const tenths = rounded(1000, by, before);
  return `${sign}${tenths ? (tenths / 10).toFixed(1) : "under 0.1"}%`;
}

/** 2024-05 as May 2024. */
function monthName(month) {
  return `${MONTHS[Number(month.slice(5)) - 1]} ${month.slice(0, 4)}`;
}

/** 2024-05-31 as 31 May 2024. */
function dayName(day) {
  return `${Number(day.slice(8))} ${monthName(day.slice(0, 7))}`;
}

function period(months) {
  const [first, last] = [monthName(months[0]), monthName(months[months.length - 1])];
  return first === last ? first : `${first} to ${last}`;
}

function during(months) {
  return `${months.length === 1 ? "in" : "from"} ${period(months)}`;
}

function counted(value, one, many = `${one}s`) {
  return `${number(value)} ${value === 1 ? one : many}`;
}

function clipped(text, length) {
  return text.length <= length ? text : `${text.slice(0, length - 1).trimEnd()}\u2026`;
}

/** A, B and C; where that grows too long, their number. */
function enumeration(names, many) {
  if (names.length === 1) return clipped(names[0], 40);
  const text = `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
  return names.length <= 3 && text.length <= 60 ? text : `${names.length} ${many}`;
}
