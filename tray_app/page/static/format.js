// How numbers and times are written. What nobody knows is "none", and never 0.

const NONE = "none";
const whole = new Intl.NumberFormat("en");
const tenths = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const moment = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });

/** 48210 -> "48,210". */
export const count = (number) => (number == null ? NONE : whole.format(number));

/** (2, "try", "tries") -> "2 tries". */
export const countOf = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

/** 0.983 -> "98.3 %". */
export const percent = (share) => (share == null ? NONE : `${tenths.format(100 * share)} %`);

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
