/** Quoting in the configuration of HAProxy. */

/** `text` as one word that HAProxy takes literally. */
export function quoted(text: string): string {
  if (/[\0\r\n]/.test(text)) throw new Error('a line break cannot be quoted for HAProxy');
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
