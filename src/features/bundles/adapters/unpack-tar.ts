/** Strict parser of a tar archive of a few small plain files (src/formats/tar.ts writes it). Pure. */

import { BLOCK, checksum } from '../../../formats/tar.ts';

type TarRules = { readonly names: readonly string[]; readonly maxFileBytes: number };

/**
 * Strictly parses an archive: plain files with exactly the allowed names, each at most once, none too large; no paths, links, extensions or
 * data after the end. Reads output of packTar and of GNU and BSD tar. Returns the reason for a rejection, in a few words.
 */
export function unpackTar(archive: Buffer, rules: TarRules): Map<string, Buffer> | string {
  const files = new Map<string, Buffer>();
  let at = 0;
  for (;;) {
    if (at + BLOCK > archive.length) return 'it is truncated';
    const block = archive.subarray(at, at + BLOCK);
    if (isZero(block)) break;
    const entry = parseHeader(block);
    if (typeof entry === 'string') return entry;
    if (!rules.names.includes(entry.name))
      return `it holds a file that does not belong there: ${JSON.stringify(entry.name)}`;
    if (files.has(entry.name)) return `it holds ${entry.name} twice`;
    if (entry.size > rules.maxFileBytes) return `${entry.name} is larger than ${rules.maxFileBytes} bytes`;
    const end = at + BLOCK + entry.size;
    if (end > archive.length) return 'it is truncated';
    files.set(entry.name, archive.subarray(at + BLOCK, end));
    at = end + (-entry.size & (BLOCK - 1));
  }
  const rest = archive.subarray(at);
  if (rest.length < 2 * BLOCK) return 'it is truncated';
  return isZero(rest) ? files : 'there is something after its end';
}

function parseHeader(block: Buffer): { name: string; size: number } | string {
  const text = (from: number, length: number): string =>
    block.toString('latin1', from, from + length).replace(/\0[\s\S]*$/, '');
  if (!/^ustar[\0 ]/.test(block.toString('latin1', 257, 263))) return 'it is not a tar archive';
  if (parseOctal(text(148, 8)) !== checksum(block)) return 'it is damaged (a checksum does not fit)';
  const type = block[156];
  if (type !== 0x30 && type !== 0) return 'it holds something other than plain files';
  // In GNU's format the prefix bytes are times; only POSIX's can hold a path.
  if (text(157, 100) !== '' || (block[262] === 0 && text(345, 155) !== '')) return 'it holds a link or a path';
  const size = parseOctal(text(124, 12));
  return size === undefined ? 'it is damaged (a size is not a number)' : { name: text(0, 100), size };
}

function parseOctal(text: string): number | undefined {
  const digits = text.trim();
  return /^[0-7]{1,11}$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}
