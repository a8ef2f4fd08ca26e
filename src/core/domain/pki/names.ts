/** Names of hosts in certificates (SANs): reading, normal form, comparing, and what to propose from a host's own facts. */

import { isIPv4 } from 'node:net';
import { domainToASCII } from 'node:url';
import { DockerTlsError } from '../../../errors/errors.ts';

/** A name that a server certificate answers for. `value` is in normal form: lower case, no trailing dot, punycode, RFC 5952. */
export type San = { readonly kind: 'dns' | 'ip'; readonly value: string };

const MAX_DNS_LENGTH = 253; // RFC 1035 2.3.4, without the root's dot
const MAX_LABEL_LENGTH = 63;

/**
 * Reads a DNS name (a leading `*` label is allowed), an IPv4 or IPv6 address (brackets allowed), or the forms `DNS:x`,
 * `IP:x`, `IP Address:x` that openssl prints. Throws E_NAME, with a hint, for anything else.
 */
export function parseSan(text: string): San {
  const match = /^\s*(?:(dns|ip|ip address):)?(.*?)\s*$/is.exec(text);
  const prefix = match?.[1]?.toLowerCase();
  const bare = match?.[2] ?? '';
  if (bare === '') throw nameError(text, 'it is empty', []);
  const unbracketed = /^\[(.*)\]$/s.exec(bare)?.[1];
  const ip = parseIp(unbracketed ?? bare);
  if (prefix === 'dns' && ip !== undefined) {
    throw nameError(text, 'an address is no DNS name', [`write it as IP:${ip.value}`]);
  }
  if (ip !== undefined) return ip;
  if (prefix?.startsWith('ip') || unbracketed !== undefined) throw nameError(text, 'it is no IP address', []);
  return { kind: 'dns', value: parseDns(text, bare) };
}

function parseIp(text: string): San | undefined {
  if (text.includes('%')) return undefined;
  if (!text.includes(':')) return isIPv4(text) ? { kind: 'ip', value: text } : undefined;
  return isIpv6(text) ? { kind: 'ip', value: normalIpv6(text) } : undefined;
}

/** As Node's isIPv6, whose pattern takes up to 12 ms to compile at its first use. */
function isIpv6(text: string): boolean {
  return /^[\da-f:.]+$/i.test(text) && URL.canParse(`http://[${text}]/`);
}

function parseDns(text: string, bare: string): string {
  const misread = misreadHint(bare);
  if (misread !== undefined) throw nameError(text, misread.why, [misread.hint]);
  const wildcard = bare.startsWith('*.');
  const rest = wildcard ? bare.slice(2) : bare;
  // Only what is not ASCII goes through IDNA: it would also turn 0x7f.1 into an address, drop line breaks, and fold other ASCII.
  const international = /[^\x00-\x7f]/.test(rest) && !/[\x00-\x1f\x7f]/.test(rest);
  const ascii = international ? domainToASCII(rest) : rest.toLowerCase();
  const name = ascii.endsWith('.') ? ascii.slice(0, -1) : ascii;
  const labels = name.split('.');
  const full = wildcard ? `*.${name}` : name;
  if (full.length > MAX_DNS_LENGTH) throw nameError(text, `it is longer than ${MAX_DNS_LENGTH} characters`, []);
  for (const label of labels) {
    if (label.length > MAX_LABEL_LENGTH) {
      throw nameError(text, `a part of it is longer than ${MAX_LABEL_LENGTH} characters`, []);
    }
    // The underscore is no letter of a host name, but Windows and compose networks use it and verifiers accept it.
    if (!/^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/.test(label)) {
      throw nameError(text, 'it is neither a DNS name nor an IP address', [
        'give a name such as build-1.example.com, 10.0.0.5 or 2001:db8::5',
      ]);
    }
  }
  // A last label of digits makes programs take the whole for an IPv4 address (WHATWG URL, "ends in a number").
  if (/^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '')) {
    throw nameError(text, 'it ends in a number, yet is no IPv4 address', [
      'an IPv4 address has four parts of 0 to 255',
    ]);
  }
  if (wildcard && labels.length < 2) {
    throw nameError(text, 'strict clients refuse a wildcard right under a top-level name', ['give *.name.tld']);
  }
  return full;
}

function misreadHint(bare: string): { why: string; hint: string } | undefined {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\/([^/]*)/i.exec(bare)?.[1];
  if (scheme !== undefined) return { why: 'it is a URL', hint: `give the name alone: ${stripPort(scheme)}` };
  if (bare.includes('%'))
    return {
      why: 'a zone is good on one computer only, and docker verifies no address that has one',
      hint: 'give a name, or an address without a zone',
    };
  const withPort = /^(\[[^\]]+\]|[^:]+):\d+$/.exec(bare)?.[1];
  if (withPort !== undefined) return { why: 'it has a port', hint: `give the name alone: ${withPort}` };
  if (bare.includes('@')) return { why: 'it has a user', hint: `give the name alone: ${bare.replace(/^.*@/, '')}` };
  if (bare.includes('*') && !/^\*\.[^*]+$/.test(bare)) {
    return { why: 'a wildcard is the whole first part', hint: 'for instance *.example.com' };
  }
  return undefined;
}

function stripPort(text: string): string {
  return text.replace(/^.*@/, '').replace(/:\d+$/, '');
}

function nameError(text: string, why: string, hints: readonly string[]): DockerTlsError {
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return new DockerTlsError('E_NAME', `"${shown}" is not a name for a certificate: ${why}`, { hints });
}

/** For users and openssl: `DNS:name` or `IP:address`. parseSan reads it back. */
export function formatSan(name: San): string {
  return `${name.kind === 'dns' ? 'DNS' : 'IP'}:${name.value}`;
}

/** Each name once, first place kept. */
export function uniqueSans(names: readonly San[]): San[] {
  return [...new Map(names.map((name) => [formatSan(name), name])).values()];
}

/**
 * Whether a certificate with these names answers for what a client dials: addresses by their bytes, DNS names whole, a
 * wildcard for exactly one label (RFC 6125 6.4.3). What is no name at all is not covered.
 */
export function covers(sans: readonly San[], address: string): boolean {
  let dialled: San;
  try {
    dialled = parseSan(address);
  } catch {
    return false;
  }
  if (dialled.value.startsWith('*')) return false;
  const parent = dialled.value.slice(dialled.value.indexOf('.'));
  return sans.some(
    ({ kind, value }) =>
      kind === dialled.kind && (value === dialled.value || (kind === 'dns' && value === `*${parent}`)),
  );
}

export type NameFacts = {
  /** What clients dial; comes first. Throws E_NAME when it is no name. */
  readonly dialled: string;
  /** The host's own word about itself; what is no name, or of no use on another machine, is left out. */
  readonly hostname?: string;
  readonly fqdn?: string;
  /** Its addresses, with or without `/prefix`. Bridges of docker are the caller's to leave out, which knows the interfaces. */
  readonly addresses?: readonly string[];
  /** What a person asked for, taken as it is. Throws E_NAME when one is no name. */
  readonly extra?: readonly string[];
};

/** Clients on the host itself dial these. */
const LOCAL: readonly San[] = [
  { kind: 'dns', value: 'localhost' },
  { kind: 'ip', value: '127.0.0.1' },
  { kind: 'ip', value: '::1' },
];

/** The names to propose for a server certificate, each once: what is dialled, the host's own names and addresses, extra ones, localhost. */
export function proposeSans(facts: NameFacts): San[] {
  const addresses = (facts.addresses ?? []).map((address) => address.split('/')[0]);
  return uniqueSans([
    parseSan(facts.dialled),
    ...[facts.fqdn, facts.hostname].flatMap(usefulFact),
    ...addresses.flatMap(usefulFact).filter(({ kind }) => kind === 'ip'),
    ...(facts.extra ?? []).map(parseSan),
    ...LOCAL,
  ]);
}

function usefulFact(text: string | undefined): San[] {
  let name: San;
  try {
    name = parseSan(text ?? '');
  } catch {
    return [];
  }
  const { kind, value } = name;
  if (value.includes('*')) return [];
  if (kind === 'dns') return /(?:^|\.)localhost(?:\.|$)/.test(value) ? [] : [name];
  // Loopback, "this host", link-local (good on one link only) and multicast: no client dials a host by these.
  return /^(?:127\.|0\.|169\.254\.|2(?:2[4-9]|[3-5]\d)\.|::1?$|fe[89ab][0-9a-f]:|ff[0-9a-f]{2}:)/.test(value)
    ? []
    : [name];
}

/** The 4 or 16 bytes of an address that parseSan made. */
export function ipBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail = ''] = hexIpv6(address).split('::').map(digits);
  return Buffer.from(`${head}${tail.padStart(32 - head.length, '0')}`, 'hex');
}

/** The address of 4 or 16 bytes as text in normal form; undefined for another length. */
export function ipText(bytes: Uint8Array): string | undefined {
  if (bytes.length === 4) return [...bytes].join('.');
  const groups = Buffer.from(bytes).toString('hex').match(/.{4}/g) ?? [];
  return bytes.length === 16 ? normalIpv6(groups.join(':')) : undefined;
}

/** As RFC 5952 has it: an address of IPv4 within one of IPv6 in its own form. */
function normalIpv6(text: string): string {
  const address = hexIpv6(text);
  return /^::ffff:[^:]+:[^:]+$/.test(address) ? `::ffff:${ipBytes(address).subarray(12).join('.')}` : address;
}

/** In lower case, without leading zeros, the longest run of zeros (the first of equals) as `::`: so WHATWG's URL has it. */
function hexIpv6(text: string): string {
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}

/** All of them, four for each group. */
function digits(groups: string): string {
  return groups.replace(/[^:]+:?/g, (group) => group.replace(':', '').padStart(4, '0'));
}
