/** Owns the checking of what the store's files hold: JSON records against their shapes, and PEM. Strict on types, tolerant of unknown keys. */

import { X509Certificate } from 'node:crypto';
import type { CaRecord, ClientRecord, HostRecord } from './records.ts';

type Rule = 'text' | 'texts' | 'hosts' | 'copies' | 'count' | 'port' | 'flag' | 'time' | readonly string[] | Shape;
/** A key that ends in `?` may be absent. */
type Shape = { readonly [key: string]: Rule };

const KEY_TYPES = ['p256', 'p384', 'ed25519', 'rsa2048', 'rsa3072', 'rsa4096'] as const;

const SSH: Shape = {
  destination: 'text',
  'user?': 'text',
  'port?': 'port',
  'identities?': 'texts',
  'configFile?': 'text',
  'jump?': 'texts',
  'transport?': ['ssh2', 'openssh'],
  'hostKey?': 'text',
};

const HOST: Shape = {
  name: 'text',
  address: 'text',
  port: 'port',
  ssh: SSH,
  'listen?': 'text',
  sans: 'texts',
  'requestedSans?': 'texts',
  keyType: KEY_TYPES,
  days: 'count',
  containers: ['keep', 'may-stop'],
  'keys?': ['store', 'host'],
  'clients?': 'texts',
  createdAt: 'time',
  updatedAt: 'time',
  'generation?': 'count',
  'liveRestore?': 'flag',
  'keep?': 'count',
  'confirmWithin?': 'count',
  'harden?': 'texts',
};

const CLIENT: Shape = {
  name: 'text',
  createdAt: 'time',
  updatedAt: 'time',
  'hosts?': 'texts',
  'own?': 'flag',
  'copies?': 'copies',
  days: 'count',
  keyType: KEY_TYPES,
  'revokedAt?': 'time',
  'reaches?': 'hosts',
  'ownKey?': 'flag',
};

const REACHED: Shape = { name: 'text', address: 'text', port: 'port' };
const COPIES: Shape = { dockerConfig: 'text', contexts: 'texts', directory: 'flag' };

const CA: Shape = {
  name: 'text',
  createdAt: 'time',
  keyType: KEY_TYPES,
  days: 'count',
  'signCommand?': 'text',
  'chain?': 'text',
};

/** A value that is right, or what is wrong with it, in words that follow the file's name. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

/** A `host.json`. */
export function parseHostRecord(text: string): Parsed<HostRecord> {
  return parseRecord<HostRecord>(text, HOST);
}

/** A `client.json`. */
export function parseClientRecord(text: string): Parsed<ClientRecord> {
  return parseRecord<ClientRecord>(text, CLIENT);
}

/** A `ca.json`. */
export function parseCaRecord(text: string): Parsed<CaRecord> {
  return parseRecord<CaRecord>(text, CA);
}

/** A JSON object, whatever its keys. */
export function parseObject(text: string): Parsed<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, problem: text.trim() === '' ? 'is empty' : 'is not JSON' };
  }
  if (!isObject(value)) return { ok: false, problem: 'does not hold a JSON object' };
  return { ok: true, value };
}

function parseRecord<T>(text: string, shape: Shape): Parsed<T> {
  const parsed = parseObject(text);
  if (!parsed.ok) return parsed;
  const problems = shapeProblems(parsed.value, shape, '');
  if (problems.length > 0) return { ok: false, problem: `has wrong values: ${problems.join(', ')}` };
  return { ok: true, value: parsed.value as T };
}

function shapeProblems(value: Record<string, unknown>, shape: Shape, prefix: string): string[] {
  return Object.entries(shape).flatMap(([spelled, rule]) => {
    const optional = spelled.endsWith('?');
    const key = optional ? spelled.slice(0, -1) : spelled;
    const found = Object.hasOwn(value, key) ? value[key] : undefined;
    if (found === undefined) return optional ? [] : [`${prefix}${key} is missing`];
    if (typeof rule === 'object' && !isList(rule)) {
      return isObject(found) ? shapeProblems(found, rule, `${prefix}${key}.`) : [`${prefix}${key} is not an object`];
    }
    const problem = valueProblem(found, rule);
    return problem === undefined ? [] : [`${prefix}${key} is not ${problem}`];
  });
}

function valueProblem(value: unknown, rule: Exclude<Rule, Shape>): string | undefined {
  if (isList(rule)) return rule.includes(value as string) ? undefined : `one of ${rule.join(', ')}`;
  switch (rule) {
    case 'text':
      return typeof value === 'string' && value !== '' ? undefined : 'a text';
    case 'texts':
      return Array.isArray(value) && value.every((each) => typeof each === 'string') ? undefined : 'a list of texts';
    case 'hosts':
      return isListOf(value, REACHED) ? undefined : 'a list of hosts, each with name, address and port';
    case 'copies':
      return isListOf(value, COPIES)
        ? undefined
        : 'a list of directories, each with dockerConfig, contexts and directory';
    case 'count':
      return Number.isSafeInteger(value) && (value as number) >= 0 ? undefined : 'a whole number';
    case 'port':
      return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 65535 ? undefined : 'a port';
    case 'flag':
      return typeof value === 'boolean' ? undefined : 'true or false';
    case 'time':
      return typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? undefined : 'a time';
  }
}

function isListOf(value: unknown, shape: Shape): boolean {
  return Array.isArray(value) && value.every((each) => isObject(each) && shapeProblems(each, shape, '').length === 0);
}

function isList(rule: Rule): rule is readonly string[] {
  return Array.isArray(rule);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----\r?\n[A-Za-z0-9+/=\r\n]+-----END CERTIFICATE-----/g;
const PRIVATE_KEY =
  /^\s*(?:-----BEGIN EC PARAMETERS-----[^-]+-----END EC PARAMETERS-----\s+)?-----BEGIN ((?:[A-Z]+ )*PRIVATE KEY)-----\r?\n[A-Za-z0-9+/=:,\- \r\n]+-----END \1-----\s*$/;

/**
 * What is wrong with text that should be one or more certificates in PEM, or undefined. `known` remembers the blocks that were
 * found right, since the same CA stands in every directory of a store.
 */
export function certificateProblem(text: string, known: Set<string> = new Set()): string | undefined {
  if (text.trim() === '') return 'is empty';
  const blocks = text.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) return 'holds no certificate in PEM';
  if (blocks.length !== text.split('-----BEGIN ').length - 1)
    return 'holds a certificate that was cut off or something else';
  for (const block of blocks) {
    if (known.has(block)) continue;
    try {
      new X509Certificate(block);
    } catch {
      return 'holds a certificate that cannot be read';
    }
    known.add(block);
  }
  return undefined;
}

/** What is wrong with text that should be one private key in PEM, encrypted or not, or undefined. The key itself is not tried. */
export function keyProblem(text: string): string | undefined {
  if (text.trim() === '') return 'is empty';
  return PRIVATE_KEY.test(text) ? undefined : 'holds no private key in PEM';
}

/**
 * What a retired CA is stored under: its serial in upper case hexadecimal. A serial too short to be random gets the start of
 * the certificate's SHA-256 added, since tools that number their certificates give two CAs the same serial.
 */
export function caDirectoryName(cert: string): string {
  const { serialNumber, fingerprint256 } = new X509Certificate(cert);
  return serialNumber.length >= 16
    ? serialNumber
    : `${serialNumber}-${fingerprint256.replaceAll(':', '').slice(0, 16)}`;
}
