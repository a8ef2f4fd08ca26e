/** A place of the core that features add to. */

/** What features have added, in the order of src/features.ts. Complete before anything of the core is evaluated. */
export type Seam<T> = { readonly all: readonly T[]; add(...more: readonly T[]): void };

export function seam<T>(): Seam<T> {
  const all: T[] = [];
  return { all, add: (...more) => all.push(...more) };
}

/** Examples, sentences and hints that mean something only where a feature has added to `place`. */
export function offeredLines(place: Seam<unknown>, ...lines: readonly string[]): readonly string[] {
  return place.all.length > 0 ? lines : [];
}

/** Options or settings that mean something only where a feature has added to `place`. The type has them either way. */
export function offered<T extends object>(place: Seam<unknown>, entries: T): T {
  return place.all.length > 0 ? entries : ({} as T);
}
