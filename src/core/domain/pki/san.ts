/** Host names in certificates (SANs): parsing, normal form, matching, and proposals from a host's facts. */

import { isIPv4 } from 'node:net';
import { domainToASCII } from 'node:url';
import { DockerTlsError } from '../../../errors/errors.ts';

/** A name in a server certificate. `value` is in normal form: lower case, no trailing dot, punycode, RFC 5952. */
export type San = { readonly kind: 'dns' | 'ip'; readonly value: string };

const MAX_DNS_LENGTH = 253; // RFC 1035 2.3.4, without the root's dot
const MAX_LABEL_LENGTH = 63;

/**
 * Parses a DNS name (with an optional leading `*` label), an IPv4 or IPv6 address (brackets allowed), or openssl's forms `DNS:x`,
 * `IP:x`, `IP Address:x`. Throws E_NAME, with a hint, for anything else.
 */
export function parseSan(text: string): San {
  const match = /^\s*(?:(dns|ip|ip address):)?(.*?)\s*$/is.exec(text);
  const prefix = match?.[1]?.toLowerCase();
  const bare = match?.[2] ?? '';
  if (bare === '') throw nameError(text, 'it is empty', []);
  const unbracketed = /^\[(.*)\]$/s.exec(bare)?.[1];
  const ip = parseIp(unbracketed ?? bare);
  if (prefix === 'dns' && ip !== undefined) {
    throw nameError(text, 'an address is not a DNS name', [`write it as IP:${ip.value}`]);
  }
  if (ip !== undefined) return ip;
  if (prefix?.startsWith('ip') || unbracketed !== undefined) throw nameError(text, 'it is not an IP address', []);
  return { kind: 'dns', value: parseDns(text, bare) };
}

function parseIp(text: string): San | undefined {
  if (text.includes('%')) return undefined;
  if (!text.includes(':')) return isIPv4(text) ? { kind: 'ip', value: text } : undefined;
  return isIpv6(text) ? { kind: 'ip', value: normalIpv6(text) } : undefined;
}

/** Equals Node's isIPv6 without its pattern, since that takes up to 12 ms to compile on first use. */
function isIpv6(text: string): boolean {
  return /^[\da-f:.]+$/i.test(text) && URL.canParse(`http://[${text}]/`);
}

function parseDns(text: string, bare: string): string {
  const misread = misreadHint(bare);
  if (misread !== undefined) throw nameError(text, misread.why, [misread.hint]);
  const wildcard = bare.startsWith('*.');
  const rest = wildcard ? bare.slice(2) : bare;
  // IDNA is for non-ASCII names only: it would also turn 0x7f.1 into an address, drop line breaks, and fold other ASCII.
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
    // The underscore is not allowed in host names, but Windows and compose networks use it and verifiers accept it.
    if (!/^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/.test(label)) {
      throw nameError(text, 'it is neither a DNS name nor an IP address', [
        'give a name such as build-1.example.com, 10.0.0.5 or 2001:db8::5',
      ]);
    }
  }
  // A numeric last label makes programs parse the whole name as an IPv4 address (WHATWG URL, "ends in a number").
  if (/^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '')) {
    throw nameError(text, 'it ends in a number, but is not an IPv4 address', [
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

/** Text for users and openssl, `DNS:name` or `IP:address`; parseSan parses it. */
export function formatSan(name: San): string {
  return `${name.kind === 'dns' ? 'DNS' : 'IP'}:${name.value}`;
}

/** Removes duplicates; the first one stays. */
export function uniqueSans(names: readonly San[]): San[] {
  return [...new Map(names.map((name) => [formatSan(name), name])).values()];
}

/**
 * Whether a certificate with these names is valid for a dialled address. IP addresses compare by bytes, DNS names whole, and a
 * wildcard matches exactly one label (RFC 6125 6.4.3). An invalid name is not covered.
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

type NameFacts = {
  /** The address that clients dial; comes first. Throws E_NAME if invalid. */
  readonly dialled: string;
  /** Names that the host reports; invalid names, and those without use on other machines, are dropped. */
  readonly hostname?: string;
  readonly fqdn?: string;
  /** Addresses of the host, with or without `/prefix`. The caller, which knows the interfaces, leaves out docker's bridges. */
  readonly addresses?: readonly string[];
  /** Names requested by the user, used unchanged. Throws E_NAME if one is invalid. */
  readonly extra?: readonly string[];
};

/** Clients on the host use these. */
const LOCAL: readonly San[] = [
  { kind: 'dns', value: 'localhost' },
  { kind: 'ip', value: '127.0.0.1' },
  { kind: 'ip', value: '::1' },
];

/** Proposed names of a server certificate, without duplicates: the dialled name, the host's names and addresses, extra names, localhost. */
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
  // Loopback, "this host", link-local (valid on one link only) and multicast: no client dials these.
  return /^(?:127\.|0\.|169\.254\.|2(?:2[4-9]|[3-5]\d)\.|::1?$|fe[89ab][0-9a-f]:|ff[0-9a-f]{2}:)/.test(value)
    ? []
    : [name];
}

/** The 4 or 16 bytes of an address from parseSan. */
export function ipBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail = ''] = hexIpv6(address).split('::').map(digits);
  return Buffer.from(`${head}${tail.padStart(32 - head.length, '0')}`, 'hex');
}

/** Text of a 4- or 16-byte address in normal form; undefined for another length. */
export function ipText(bytes: Uint8Array): string | undefined {
  if (bytes.length === 4) return [...bytes].join('.');
  const groups = Buffer.from(bytes).toString('hex').match(/.{4}/g) ?? [];
  return bytes.length === 16 ? normalIpv6(groups.join(':')) : undefined;
}

/** RFC 5952 form; IPv4-mapped addresses keep the dotted form. */
function normalIpv6(text: string): string {
  const address = hexIpv6(text);
  return /^::ffff:[^:]+:[^:]+$/.test(address) ? `::ffff:${ipBytes(address).subarray(12).join('.')}` : address;
}

/** Lower case, without leading zeros, and with `::` for the longest run of zeros (the first of equals): the form of WHATWG's URL. */
function hexIpv6(text: string): string {
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}

/** All hex digits, four per group. */
function digits(groups: string): string {
  return groups.replace(/[^:]+:?/g, (group) => group.replace(':', '').padStart(4, '0'));
}
