/** The guess whether a name in a file stands for a secret, whose value is never shown; and what a variable is by its default. */

const SECRET_NAME =
  /(^|[_.-])(pass|pwd|[a-z]*(password|passwd|passphrase|secret|token)|credentials?|api[_-]?key|access[_-]?key|private[_-]?key|secret[_-]?key|auth[_-]?key|encryption[_-]?key)([_.-]|$)/i;

/** Names that only say where a secret is. */
const POINTER = /([_.-])(file|path|dir|url|uri|name|id|arn|length|ttl|expir\w*|policy|type|header|endpoint)$/i;

/** `DB_PASSWORD`, `apiKey`, `GITHUB_TOKEN`; not `DB_PASSWORD_FILE` or `TOKEN_URL`. */
export function isSecretName(name: string): boolean {
  const words = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2');
  return SECRET_NAME.test(words) && !POINTER.test(words);
}

/** A password inside an address, as in `postgres://user:password@host/`: written out, and not a variable. */
export function holdsPassword(value: string): boolean {
  const password = /^["']?[a-z][a-z0-9+.-]*:\/\/[^/?#@:\s]*:([^/@\s]+)@/i.exec(value.trim())?.[1];
  return password !== undefined && isWrittenOut(password);
}

/** A value written out: not empty, not taken from the environment of the user who builds or starts. */
export function isWrittenOut(value: string): boolean {
  const bare = value.trim().replace(/^(["'])(.*)\1$/s, '$2');
  return bare !== '' && !/^\$\{?[A-Za-z_][A-Za-z0-9_]*(:?[?][^}]*)?\}?$/.test(bare);
}

/**
 * The text with the defaults of its variables put in, `${A:-b}` and `${A-b}`, also one within another; `$$` is a dollar sign of its own.
 * `${A:?b}` becomes `${A}`: the error text is not part of the value, and may hold colons.
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
