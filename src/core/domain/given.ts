/** The values that were given, to be laid over others. */

/** The values without those that are undefined: spread over others, these would take their place. */
export function given<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
