/** The flag of an option. Apart from the table of settings, whose schemas cost every start 14 ms. */

/** `caDays` as it is typed: `--ca-days`. */
export function optionFlag(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
