/** Secrets by name and by value, never shown themselves; and default values of variables. */

const SECRET_NAME =
  /(^|[_.-])(pass|pwd|[a-z]*(password|passwd|passphrase|secret|token)|credentials?|api[_-]?key|access[_-]?key|private[_-]?key|secret[_-]?key|auth[_-]?key|encryption[_-]?key)([_.-]|$)/i;

/** Names that only point to a secret, or are about one. */
const POINTER =
  /([_.-])(file|path|dir|url|uri|name|id|arn|length|ttl|expir\w*|policy|type|header|endpoint|enabled?|disabled?|required|algorithm|issuer|lifetime|timeout|min\w*|max\w*|version|command|prefix|field|column|store|provider|encoder|hash|rotation|days|seconds|port|host|hostname|size|language|mode|format|user|username|email|domain|level|scopes?|audience)$|^(allow|enable|disable|require|use|random|skip|no(?![_.-]reply)|has|is)[_.-]/i;

/** `DB_PASSWORD`, `apiKey`, `GITHUB_TOKEN`; not `DB_PASSWORD_FILE` or `TOKEN_URL`. */
export function isSecretName(name: string): boolean {
  // A name can be as long as a hostile file wants it.
  const words = name.slice(-256).replace(/([a-z0-9])([A-Z])/g, '$1_$2');
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

/** A switch, a path, a placeholder or a template, whatever its name. */
const NO_SECRET =
  /^(?:true|false|yes|no|on|off|none|null|0|1|(?:\.{0,2}|%[\w.]+%)\/[\w./-]*|[a-z]+:\/\/\/[\w./-]*|<[^<>]*>|\{\{.*\}\}|%\w+%|\*+|x{3,}|\$\(.*\)|`.*`)$/is;

/** True for a name and value that together are a literal secret. */
export function isSecretPair(name: string, value: string): boolean {
  const bare = value.trim().replace(/^(["'])(.*)\1$/s, '$2');
  return isSecretName(name) && isWrittenOut(value) && !NO_SECRET.test(bare);
}

/** Forms that issuers give to their secrets, each with the part that is shown. */
const SHAPES: readonly (readonly [string, RegExp])[] = [
  ['a private key', /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----/],
  ['an AWS access key', /\b(?:AKIA|ASIA)(?![A-Z0-9]{0,40}EXAMPLE)[A-Z0-9]{16}\b/],
  ['a GitHub token', /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})/],
  ['a GitLab token', /\bgl(?:pat|ptt|rt|dt)-[\w-]{20,}/],
  ['a Slack token', /\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bhooks\.slack\.com\/services\/T\w+\/B\w+\/\w{16,}/],
  ['a Stripe key', /\b[sr]k_live_[A-Za-z0-9]{20,}/],
  ['a Google API key', /\bAIza[\w-]{35}(?![\w-])/],
  ['an npm token', /\bnpm_[A-Za-z0-9]{36}\b/],
  ['a PyPI token', /\bpypi-AgE[\w-]{50,}/],
  ['a Docker Hub token', /\bdckr_(?:pat|oat)_[\w-]{20,}/],
  ['a Hugging Face token', /\bhf_[A-Za-z0-9]{34,}/],
  ['an API key', /\bsk-(?:ant-|proj-)[\w-]{20,}|\bsk-[A-Za-z0-9]{48}\b|\bSG\.[\w-]{22}\.[\w-]{43}\b/],
  ['a Vault token', /\bhvs\.[\w-]{24,}/],
  ['a DigitalOcean token', /\bdo[opr]_v1_[a-f0-9]{64}\b/],
  ['an age key', /\bAGE-SECRET-KEY-1[0-9A-Z]{40,}/],
  ['a Telegram bot token', /\b\d{8,10}:AA[\w-]{33}(?![\w-])/],
  ['an Azure storage key', /\bAccountKey=[A-Za-z0-9+/]{80,}={0,2}/],
];

const LOGIN = /(?<=[a-z0-9+.-]:\/\/)([^/?#@:\s"']*)(?::([^/@\s"']+))?@/gi;

/** Pieces of a long text that overlap, for expressions whose time grows faster than the text. */
export function pieces(text: string): readonly string[] {
  const size = 8192;
  if (text.length <= size) return [text];
  return Array.from({ length: Math.ceil(text.length / size) }, (_, index) =>
    text.slice(Math.max(0, index * size - 512), (index + 1) * size),
  );
}

/** Secrets that a text holds, by their form: each as a kind and a masked value. */
export function secretsIn(text: string): readonly string[] {
  return [...new Set(pieces(text).flatMap(secretsInPiece))];
}

function secretsInPiece(part: string): readonly string[] {
  // No secret of a known form is shorter.
  if (part.length < 16 && !part.includes('://')) return [];
  const shapes = SHAPES.flatMap(([kind, shape]) => {
    const value = shape.exec(part)?.[0];
    return value === undefined ? [] : [value.startsWith('-----') ? kind : `${kind} (${value.slice(0, 4)}***)`];
  });
  const logins = [...part.matchAll(LOGIN)].flatMap(([, user = '', password]) =>
    password === undefined
      ? /^[A-Za-z0-9_-]{20,}$/.test(user)
        ? ['a token in an address']
        : []
      : isWrittenOut(password) && !NO_SECRET.test(password) && !password.includes('$')
        ? ['a password in an address']
        : [],
  );
  return [...shapes, ...logins];
}

const ASSIGNMENT = /(?:^|[\s;&|(])([A-Za-z_]\w*)=("(?:[^"\\]|\\.)*"|'[^']*'|[^\s;&|)]*)/g;

/** Secrets that a command sets (`export TOKEN=…`, `TOKEN=… program`), or holds by their form. */
export function secretsOfCommand(command: string): readonly string[] {
  const assigned = pieces(command).flatMap((piece) =>
    [...piece.matchAll(ASSIGNMENT)].flatMap(([, name = '', value = '']) =>
      isSecretPair(name, value) && !/[$`]/.test(value) ? [`${name} is written out`] : [],
    ),
  );
  return [...new Set([...assigned, ...secretsIn(command).map((kind) => `holds ${kind}`)])];
}

/** A literal secret in `NAME=VALUE`, as words about it. */
export function secretsOfPair(name: string, value: string): readonly string[] {
  if (isSecretPair(name, value)) return [`${name} is written out`];
  if (holdsPassword(value)) return [`${name}: the password in its address is written out`];
  return secretsIn(value).map((kind) => `${name} holds ${kind}`);
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
