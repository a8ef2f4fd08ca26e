/** Extension points of the core. */

import { DockerTlsError } from '../../errors/errors.ts';

/** Entries added by features, in the order of src/features.ts. Complete before any core module is evaluated. */
type Seam<T> = { readonly all: readonly T[]; add(...more: readonly T[]): void };

export function seam<T>(): Seam<T> {
  const all: T[] = [];
  return { all, add: (...more) => all.push(...more) };
}

export const ALL_FEATURES_HINT = 'use a docker-tls with all features: docker-tls version';

/** What only a build with more features can do: E_NO_FEATURE, exit 4. */
export function noFeature(where: string, message: string): DockerTlsError {
  return new DockerTlsError('E_NO_FEATURE', message, { where, hints: [ALL_FEATURES_HINT] });
}

/** Examples, sentences and hints that exist only if a feature has added to `place`. */
export function offeredLines(place: Seam<unknown>, ...lines: readonly string[]): readonly string[] {
  return place.all.length > 0 ? lines : [];
}

/** Words of a sentence that exist only if a feature has added to `place`; empty without it. */
export function offeredWords(place: Seam<unknown>, words: string): string {
  return offeredLines(place, words).join('');
}

/** Options or settings that exist only if a feature has added to `place`. The type always has them. */
export function offered<T extends object>(place: Seam<unknown>, entries: T): T {
  return place.all.length > 0 ? entries : ({} as T);
}
