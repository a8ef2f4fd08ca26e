/** Cache of what is parsed from a text. */

/** The function with its last `most` results kept. What it throws is not kept. */
export function memoize<T extends object>(most: number, parse: (text: string) => T): (text: string) => T {
  const kept = new Map<string, T>();
  return (text) => {
    const found = kept.get(text);
    if (found !== undefined) return found;
    const parsed = parse(text);
    kept.set(text, parsed);
    const [oldest] = kept.keys();
    if (kept.size > most && oldest !== undefined) kept.delete(oldest);
    return parsed;
  };
}
