/** Removal of undefined values. */

/** The values without undefined ones: spread over others, those would overwrite them. */
export function given<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
