/** JSON output. */

/** JSON that is safe on a terminal: escapes the control, zero-width and direction characters that JSON allows unescaped. */
export function renderDocument(document: unknown): string {
  const text = JSON.stringify(document, null, 2);
  return `${text.replace(
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )}\n`;
}
