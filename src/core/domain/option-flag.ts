/** Flag name of an option. Separate from the settings table, since its schemas cost 14 ms of every start. */

/** `--ca-days` for `caDays`. */
export function optionFlag(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
