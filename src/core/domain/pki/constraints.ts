/** Name constraints (RFC 5280 4.2.1.10) of a CA, as Go and OpenSSL interpret them. */

import { type Asn1, children, content, contextNumber } from './der.ts';
import { ipBytes, type San } from './san.ts';

type Subtrees = {
  /** Lower case; `corp.example` covers itself and its subdomains, `.corp.example` only subdomains; empty covers everything. */
  readonly dns: readonly string[];
  /** Address and mask. */
  readonly ip: readonly (readonly [Buffer, Buffer])[];
  /** GeneralName numbers of kinds that some verifiers do not support, for instance 4: directory names. */
  readonly other: readonly number[];
};

export type NameConstraints = { readonly permitted: Subtrees; readonly excluded: Subtrees };

/** Our certificates contain no mail addresses (1). */
const HARMLESS: readonly (number | undefined)[] = [1];

/** Parses the extension's value. Throws an Error if damaged. */
export function parseNameConstraints(value: Asn1): NameConstraints {
  const lists = children(value);
  const of = (number: number): Subtrees => {
    const found = lists.filter((list) => contextNumber(list) === number).flatMap(children);
    const bases = found.flatMap((subtree) => children(subtree).slice(0, 1));
    const ofKind = (kind: number) => bases.filter((base) => contextNumber(base) === kind).map(content);
    return {
      dns: ofKind(2).map((bytes) => bytes.toString('latin1').toLowerCase()),
      ip: ofKind(7).map((bytes) => {
        if (bytes.length !== 8 && bytes.length !== 32) throw new Error('a range of addresses of no known length');
        return [bytes.subarray(0, bytes.length / 2), bytes.subarray(bytes.length / 2)] as const;
      }),
      other: bases
        .map(contextNumber)
        .filter((kind) => kind !== 2 && kind !== 7 && !HARMLESS.includes(kind)) as number[],
    };
  };
  return { permitted: of(0), excluded: of(1) };
}

/** Whether the CA may certify a name: a kind without `permitted` entries is unrestricted, `excluded` takes precedence. */
export function permits({ permitted, excluded }: NameConstraints, san: San): boolean {
  if (san.kind === 'dns') {
    // A wildcard covers names below its parent.
    const name = san.value.replace(/^\*\./, '');
    if (excluded.dns.some((base) => isBelow(name, base))) return false;
    return permitted.dns.length === 0 || permitted.dns.some((base) => isBelow(name, base));
  }
  const address = Buffer.from(ipBytes(san.value));
  if (excluded.ip.some((range) => isWithin(address, range))) return false;
  return permitted.ip.length === 0 || permitted.ip.some((range) => isWithin(address, range));
}

function isBelow(name: string, base: string): boolean {
  if (base === '') return true;
  return base.startsWith('.') ? name.endsWith(base) : name === base || name.endsWith(`.${base}`);
}

function isWithin(address: Buffer, [base, mask]: readonly [Buffer, Buffer]): boolean {
  return (
    address.length === base.length &&
    address.every((byte, index) => (byte & (mask[index] ?? 0)) === ((base[index] ?? 0) & (mask[index] ?? 0)))
  );
}
