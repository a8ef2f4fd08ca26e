/** Heuristic for secret names, whose values are never shown; and default values of variables. */

const SECRET_NAME =
  /(^|[_.-])(pass|pwd|[a-z]*(password|passwd|passphrase|secret|token)|credentials?|api[_-]?key|access[_-]?key|private[_-]?key|secret[_-]?key|auth[_-]?key|encryption[_-]?key)([_.-]|$)/i;

/** Names that only point to a secret. */
const POINTER = /([_.-])(file|path|dir|url|uri|name|id|arn|length|ttl|expir\w*|policy|type|header|endpoint)$/i;

/** `DB_PASSWORD`, `apiKey`, `GITHUB_TOKEN`; not `DB_PASSWORD_FILE` or `TOKEN_URL`. */
export function isSecretName(name: string): boolean {
  const words = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2');
  return SECRET_NAME.test(words) && !POINTER.test(words);
}

/** A literal password inside an address, as in `postgres://user:password@host/`. */
export function holdsPassword(value: string): boolean {
  const password = /^["']?[a-z][a-z0-9+.-]*:\/\/[^/?#@:\s]*:([^/@\s]+)@/i.exec(value.trim())?.[1];
  return password !== undefined && isWrittenOut(password);
}

/** A literal value: neither empty nor from the environment of the user who builds or starts. */
export function isWrittenOut(value: string): boolean {
  const bare = value.trim().replace(/^(["'])(.*)\1$/s, '$2');
  return bare !== '' && !/^\$\{?[A-Za-z_][A-Za-z0-9_]*(:?[?][^}]*)?\}?$/.test(bare);
}

/**
 * Substitutes defaults of variables, `${A:-b}` and `${A-b}`, also nested; keeps `$$`, a literal dollar sign. `${A:?b}` becomes `${A}`: the
 * error text is not part of the value, and may contain colons.
 */
export function withDefaults(text: string): string {
  let result = text;
  for (let depth = 0; depth < 5; depth++) {
    const next = result.replace(
      /\$\$|\$\{([A-Za-z_]\w*)(?::?-([^${}]*)|:?\?[^${}]*)\}/g,
      (whole, name?: string, value?: string) => (name === undefined ? whole : (value ?? `\${${name}}`)),
    );
    if (next === result) break;
    result = next;
  }
  return result;
}
