/**
 * Formats of single values (names, addresses, times, references to secrets): parsing and printing. The fleet file, flags, records and the
 * state on a host all use these. zod/mini costs 4 ms of a start, zod 50 ms.
 */

import { X509Certificate } from 'node:crypto';
import * as z from 'zod/mini';
import { DockerTlsError, usage } from '../../errors/errors.ts';
import { HARDEN_VALUES } from '../seams/harden-values.ts';
import { parseDestination } from './destination.ts';
import { contextNameProblem, NAME_HINT, nameProblem, ROLE_NAME } from './names.ts';
import { NO_PORT } from './network-port.ts';
import { splitBundle } from './pki/pem.ts';
import { parseSan, type San } from './pki/san.ts';

/** How a value is entered in a command line, an INI inventory or a question, all of which are text. */
export type Kind =
  | { readonly kind: 'text' | 'list' | 'flag' }
  | { readonly kind: 'number'; readonly min: number; readonly max: number }
  | { readonly kind: 'choice'; readonly choices: readonly string[] };

const FIX_NAMES = HARDEN_VALUES.all.flatMap(({ names }) => names);
const FIX_VALUES = HARDEN_VALUES.all.flatMap(({ values }) => values);
/** Seconds that a change may wait for its confirmation. */
const CONFIRM = { min: 10, max: 86_400 };
/** nameProblem's rule for editors, except for the names that Windows reserves. */
const NAME_PATTERN = '^[A-Za-z0-9](?:[A-Za-z0-9_@+-]|\\.(?=[A-Za-z0-9_@+-]))*$';
const HOST_KEY =
  '^(strict|accept-new|SHA256:[A-Za-z0-9+/]{43}=?|(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]{60,}={0,2})$';

/** A whole number. */
export function whole(min: number, max: number) {
  return { kind: 'number', min, max, schema: count(min, max) } as const;
}

export function count(min: number, max: number) {
  return z.number().check(z.int(), z.minimum(min), z.maximum(max));
}

export function choice<const T extends readonly string[]>(choices: T) {
  return { kind: 'choice', choices, schema: z.enum(choices) } as const;
}

export function text<T extends z.ZodMiniType>(schema: T) {
  return { kind: 'text', schema } as const;
}

/** A list without duplicates: a second entry is a typing mistake. */
export function list<T extends z.ZodMiniType>(item: T) {
  return { kind: 'list', schema: unique(item) } as const;
}

/** On, off, or undefined (unchanged). */
export const onOff = { kind: 'flag', schema: z.boolean() } as const;
/** On; off by omission. */
export const on = { kind: 'flag', schema: z.literal(true) } as const;

type Meta = z.core.GlobalMeta;

/** Parses text; `params.error` of an issue is the error of `read`. `write` prints the value. */
function readable<T>(read: (text: string) => T, write: (value: T) => string = String, meta: Meta = {}) {
  const value = z.custom<T>((found) => found !== undefined);
  return z.codec(z.string().check(z.meta(meta)), value, {
    decode(input, context): T {
      try {
        return read(input);
      } catch (error) {
        if (!(error instanceof DockerTlsError)) throw error;
        const { message, hints } = error;
        context.issues.push({ code: 'custom', input, message, params: { hints, error } });
        return z.NEVER;
      }
    },
    encode: write,
  });
}

/** Text that `check` accepts without throwing. */
export function checked(check: (value: string) => unknown, meta?: Meta) {
  return readable<string>(
    (value) => {
      check(value);
      return value;
    },
    String,
    meta,
  );
}

function refuse(message: string, hints: readonly string[] = []): never {
  throw usage(message, hints);
}

function unique<T extends z.ZodMiniType>(item: T) {
  return z.array(item).check(({ value, issues }) => {
    const words = value.map((entry) => JSON.stringify(entry));
    words.forEach((entry, index) => {
      if (words.indexOf(entry) === index) return;
      const message = `${typeof value[index] === 'object' ? 'this' : String(value[index])} is listed twice`;
      issues.push({ code: 'custom', input: value, message, path: [index] });
    });
  });
}

/** The name of a host or a client. */
export function named(maxLength: number) {
  return checked(
    (value) => {
      const why =
        nameProblem(value) ?? (value.length > maxLength ? `it is longer than ${maxLength} characters` : undefined);
      if (why !== undefined) refuse(`"${value.slice(0, 60)}" cannot be a name: ${why}`, [NAME_HINT]);
    },
    { pattern: NAME_PATTERN, maxLength },
  );
}

export const name = named(128);
/** Names, or `all`: becomes undefined, and clears a list from `defaults`. */
export const names = {
  kind: 'list',
  schema: z.codec(z.union([z.literal('all'), unique(name).check(z.minLength(1))]), z.optional(z.array(z.string())), {
    decode: (value) => (value === 'all' ? undefined : value),
    encode: (value) => value ?? 'all',
  }),
} as const;

export const line = checked((value) => {
  if (!/^[^\p{C}\p{Zl}\p{Zp}]{1,200}$/u.test(value)) refuse('one line of 1 to 200 printable characters is expected');
});

export const file = checked((value) => {
  if (value === '') refuse('the name of a file is empty');
  if (value.startsWith('-')) refuse('a file name that begins with - looks like an option', [`write ./${value}`]);
});

/** Whether `acceptCa` is a keyword instead of a certificate. */
export function isAcceptWord(text: string): boolean {
  return text === 'existing' || text === 'none';
}

function isCa(pem: string): boolean {
  try {
    return new X509Certificate(pem).ca;
  } catch {
    return false;
  }
}

/** PEM of CA certificates, normalized for storage, or a keyword. */
export const acceptCa = readable(
  (value) => {
    if (isAcceptWord(value)) return value;
    const certs = splitBundle(value);
    if (certs.length === 0) refuse('it is neither existing, none nor the certificate of a CA (PEM)');
    if (!certs.every(isCa)) refuse("a certificate of it is not a CA's");
    return certs.join('');
  },
  (value) => value,
);

export const destination = checked(parseDestination);

export const user = checked((value) => parseDestination(`${value}@host`));

export const hostKey = checked(
  (value) => {
    if (new RegExp(HOST_KEY).test(value)) return;
    refuse('this is neither strict, accept-new, a fingerprint SHA256:… nor a public key (TYPE BASE64)', [
      'ssh-keyscan HOST 2>/dev/null | ssh-keygen -lf -',
    ]);
  },
  { pattern: HOST_KEY },
);

export function isRecordedHostKey(value: string): boolean {
  return value !== 'accept-new' && new RegExp(HOST_KEY).test(value);
}

/** The form in a record, which several users may share: `accept-new` holds for one run only. */
export const recordedHostKey = readable(
  (value) => {
    if (value === 'accept-new') return 'strict';
    if (!isRecordedHostKey(value)) refuse('this is neither strict, a fingerprint SHA256:… nor a public key');
    return value;
  },
  (value) => value,
);

/** The form in a record, free of syntax of ssh, its configuration or a shell. */
export const recordedDestination = readable(
  (value) => {
    const { destination, user, port } = parseDestination(value.includes(':') ? `[${value}]` : value);
    if (destination !== value || user !== undefined || port !== undefined) refuse('this is not a name or an address');
    return value;
  },
  (value) => value,
);

export const san = readable<San>(parseSan, ({ value }) => value);

/** The address that clients dial, in normal form. */
export const dialled = readable((value) => {
  const found = parseSan(value).value;
  if (found.startsWith('*')) refuse('clients dial one name, not a wildcard');
  return found;
});

/** An address of the host, in normal form. */
const ownAddress = readable((value) => {
  if (value === NO_PORT) return value;
  const found = parseSan(value);
  if (found.kind !== 'ip') refuse('the daemon listens on an address, not on a name', ['for instance 10.0.0.7']);
  return found.value;
});

/** Addresses to listen on, or `none` alone. */
export const ownAddresses = {
  kind: 'list',
  schema: unique(ownAddress).check(({ value, issues }) => {
    if (value.length > 1 && value.includes(NO_PORT))
      issues.push({ code: 'custom', input: value, message: `${NO_PORT} stands alone`, path: [] });
  }),
} as const;

/** Seconds, or `90s`, `15m`, `2h`; the value is in seconds. */
export const seconds = z.union([
  count(CONFIRM.min, CONFIRM.max),
  readable(
    (value) => {
      const match = /^(\d{1,6})(s|m|h)$/.exec(value);
      if (!match) return refuse('this is not a time; write 90s, 15m or 2h');
      const found = Number(match[1]) * { s: 1, m: 60, h: 3600 }[match[2] as 's'];
      if (found >= CONFIRM.min && found <= CONFIRM.max) return found;
      return refuse('a change waits from 10s up to 24h for its confirmation');
    },
    (value) => `${value}s`,
    { pattern: '^[0-9]{1,6}[smh]$' },
  ),
]);

/** A fix of `harden`, or a setting of one (docker-group:USER). */
export const fix = z.string().check(
  ({ value, issues }) => {
    if (FIX_NAMES.includes(value) || FIX_VALUES.some(({ pattern }) => pattern.test(value))) return;
    issues.push({ code: 'invalid_value', values: [...FIX_NAMES], input: value });
  },
  z.meta({ anyOf: [{ enum: [...FIX_NAMES] }, ...FIX_VALUES.map(({ editor }) => ({ pattern: editor }))] }),
);

export const contextName = checked((value) => {
  const why = contextNameProblem(value);
  if (why !== undefined) refuse(`"${value.slice(0, 60)}" cannot be the name of a docker context: ${why}`);
});

/** The name of a role (docs/roles.md). */
export const roleName = checked(
  (value) => {
    if (!new RegExp(`^${ROLE_NAME}$`).test(value))
      refuse(`"${value.slice(0, 60)}" cannot be a role: up to 32 lower-case letters, digits and -, a letter first`);
  },
  { pattern: `^${ROLE_NAME}$` },
);

const ROLE_RULE = `^${ROLE_NAME} [A-Z]+(,[A-Z]+)* /\\S*$`;
/** A request that a role of one's own allows. */
export const roleRule = checked(
  (value) => {
    if (!new RegExp(ROLE_RULE).test(value))
      refuse(`"${value.slice(0, 100)}" is not a rule of a role`, [
        'write ROLE METHOD /path, for instance: deploy POST /containers/*/restart',
      ]);
  },
  { pattern: ROLE_RULE },
);

const ROLE_SOCKET = `^[a-z0-9][a-z0-9-]{0,31} (?!full$)${ROLE_NAME}$`;
/** A socket on the host, and its role. One with the role full would be the daemon's own socket under another name. */
export const roleSocket = checked(
  (value) => {
    if (value.endsWith(' full'))
      refuse('a socket with the role full would be docker.sock itself', [
        'name a limited role, such as read or monitor',
      ]);
    if (!new RegExp(ROLE_SOCKET).test(value))
      refuse(`"${value.slice(0, 100)}" is not a socket with a role`, ['write NAME ROLE, for instance: traefik read']);
  },
  { pattern: ROLE_SOCKET },
);
