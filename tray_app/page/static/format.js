// How numbers and times are written. What nobody knows is "none", and never 0.

const NONE = "none";
const whole = new Intl.NumberFormat("en");
const tenths = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const moment = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });
const short = new Intl.NumberFormat("en", { notation: "compact", minimumSignificantDigits: 3, maximumSignificantDigits: 3 });
const weekday = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" });
const dayOfYear = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const dayAndMonth = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const hourAndMinute = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const noonOf = (date) => new Date(`${date}T12:00:00`);

/** 48210 -> "48,210". */
export const count = (number) => (number == null ? NONE : whole.format(number));

/** (2, "try", "tries") -> "2 tries". */
export const countOf = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

/** 0.983 -> "98.3 %". */
export const percent = (share) => (share == null ? NONE : `${share === 1 ? 100 : tenths.format(100 * share)} %`);

/** Seconds: 1.23 -> "1.2 s", 38.2 -> "38 s", 125 -> "2 min 5 s", 7300 -> "2 h 1 min". */
export function duration(seconds) {
  if (seconds == null) return NONE;
  if (seconds < 9.95) return `${tenths.format(seconds)} s`;
  return wholeDuration(seconds);
}

/** The same without tenths of a second, for times that are counted on. */
export function wholeDuration(seconds) {
  const all = Math.round(seconds);
  if (all < 60) return `${all} s`;
  if (all < 3600) return `${Math.floor(all / 60)} min ${all % 60} s`;
  return `${Math.floor(all / 3600)} h ${Math.floor((all % 3600) / 60)} min`;
}

/** A Unix time in seconds -> "09:41:07". */
export const timeOfDay = (unixTime) => clock.format(1000 * unixTime);

/** A Unix time in seconds -> "Nov 27, 2026, 09:41:07". */
export const dateAndTime = (unixTime) => moment.format(1000 * unixTime);

/** 18200000 -> "18.2 M", for a narrow place. Numbers below 10,000 stay whole. */
export function amount(number) {
  if (number == null || number < 10_000) return count(number);
  return short.format(number).replace(/[A-Z]$/, (unit) => ` ${unit === "K" ? "k" : unit}`);
}

/** "2026-11-27" -> "Fri 27 Nov", or "27 Nov 2025" if it was not this year. */
export function dayName(date) {
  const isThisYear = noonOf(date).getFullYear() === new Date().getFullYear();
  return (isThisYear ? weekday : dayOfYear).format(noonOf(date)).replace(",", "");
}

/** A Unix time in seconds -> "Fri 27 Nov", or "27 Nov 2025" if it was not this year. */
export function dayOf(unixTime) {
  const found = new Date(1000 * unixTime);
  return dayName([found.getFullYear(), found.getMonth() + 1, found.getDate()].map((part) => String(part).padStart(2, "0")).join("-"));
}

/** "2026-11-27" -> "27 Nov". */
export const shortDay = (date) => dayAndMonth.format(noonOf(date));

/** "2026-05-14" -> "14 May 2026". A year with a month alone stays as it is. */
export const dateName = (date) => (/^\d{4}-\d\d-\d\d$/.test(date) ? dayOfYear.format(noonOf(date)) : date);

/** A Unix time in seconds -> "09:41" if it is today, else "27 Nov, 09:41". */
export function shortTime(unixTime) {
  const found = new Date(1000 * unixTime);
  const time = hourAndMinute.format(found);
  return found.toDateString() === new Date().toDateString() ? time : `${dayAndMonth.format(found)}, ${time}`;
}

/** "/home/me/shop-api" -> "shop-api". */
export const folderName = (path) => path.split(/[\\/]/).filter(Boolean).pop() ?? path;
