/** JSON of which nothing is certain, such as what a host or another program wrote: what is missing or of another type is empty. */

/** A parsed JSON value of unknown shape. */
export type Json = unknown;

export type Fields = Readonly<Record<string, unknown>>;

/** Levels of nesting that what walks a value can follow. Nothing that dockerd or docker-tls writes has 20. */
const DEEPEST = 200;

/** Whether arrays and objects are nested deeper than anything that is read here. */
export function isTooDeep(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let index = 0; index < text.length; index++) {
    const char = text[index];
    if (quoted) {
      if (char === '\\') index++;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '{' || char === '[') {
      depth++;
      if (depth > DEEPEST) return true;
    } else if (char === '}' || char === ']') depth--;
  }
  return false;
}

/** Undefined where the text is not JSON, or nested too deeply. */
export function parseJson(text: string): Json {
  if (isTooDeep(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isObject(value: Json): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The fields of an object; none of anything else. */
export function fieldsOf(value: Json): Fields {
  return isObject(value) ? value : {};
}

/** The value at a path of keys, or undefined. */
export function at(value: Json, ...path: readonly string[]): Json {
  let here = value;
  for (const key of path) {
    if (!isObject(here) || !Object.hasOwn(here, key)) return undefined;
    here = here[key];
  }
  return here;
}

export function textAt(value: Json, ...path: readonly string[]): string {
  const found = at(value, ...path);
  return typeof found === 'string' ? found : '';
}

export function numberAt(value: Json, ...path: readonly string[]): number {
  const found = at(value, ...path);
  return typeof found === 'number' && Number.isFinite(found) ? found : 0;
}

export function listAt(value: Json, ...path: readonly string[]): readonly Json[] {
  const found = path.length === 0 ? value : at(value, ...path);
  return Array.isArray(found) ? found : [];
}

export function textsAt(value: Json, ...path: readonly string[]): readonly string[] {
  return listAt(value, ...path).filter((item) => typeof item === 'string');
}

export function entriesAt(value: Json, ...path: readonly string[]): readonly (readonly [string, Json])[] {
  const found = path.length === 0 ? value : at(value, ...path);
  return Object.entries(fieldsOf(found));
}
