/** Access to untrusted JSON, such as a host's or another program's: missing values and wrong types become empty. */

/** A parsed JSON value of unknown shape. */
export type Json = unknown;

export type Fields = Readonly<Record<string, unknown>>;

/** Maximum nesting that recursive functions can handle. Files of dockerd and docker-tls have fewer than 20 levels. */
const DEEPEST = 200;

/** Whether arrays and objects are nested too deeply to process. */
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

/** Undefined for text that is not JSON, or is nested too deeply. */
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

/** Fields of an object; empty for anything else. */
export function fieldsOf(value: Json): Fields {
  return isObject(value) ? value : {};
}

/** Value at a path of keys, or undefined. */
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
