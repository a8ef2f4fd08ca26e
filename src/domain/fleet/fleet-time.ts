/** Owns how the fleet file says a time: seconds, or `90s`, `15m`, `2h`. */

/** Seconds; undefined for anything else. */
export function confirmSeconds(value: string | number): number | undefined {
  if (typeof value === 'number') return value;
  const match = /^(\d{1,6})(s|m|h)$/.exec(value);
  return match ? Number(match[1]) * { s: 1, m: 60, h: 3600 }[match[2] as 's'] : undefined;
}
