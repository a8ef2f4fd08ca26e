/** A tar archive of a few small plain files (ustar, POSIX.1-2017 pax "ustar Interchange Format"). Pure. */

const BLOCK = 512;

type TarFile = { readonly name: string; readonly data: Buffer; readonly mode: number };

/** An archive of the files, in order. `modified` is their time. Names are ASCII; the last part has at most 100 bytes, the rest 155. */
export function packTar(files: readonly TarFile[], modified: Date): Buffer {
  const parts = files.flatMap(({ name, data, mode }) => [
    header(name, data.length, mode, modified),
    data,
    Buffer.alloc(-data.length & (BLOCK - 1)),
  ]);
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

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

function header(path: string, size: number, mode: number, modified: Date): Buffer {
  const end = path.length > 100 ? path.lastIndexOf('/') : -1;
  const [prefix, name] = end === -1 ? ['', path] : [path.slice(0, end), path.slice(end + 1)];
  if (!/^[\x21-\x7e]{1,100}$/.test(name) || !/^[\x21-\x7e]{0,155}$/.test(prefix))
    throw new TypeError(`${JSON.stringify(path)} cannot be a name in a tar archive`);
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0, 'latin1');
  block.write(prefix, 345, 'latin1');
  block.write(octal(mode, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(Math.max(0, Math.floor(modified.getTime() / 1000)), 11), 136);
  block.write('0', 156);
  block.write('ustar\u000000', 257, 'latin1');
  block.write(`${octal(checksum(block), 6)}\0 `, 148, 'latin1');
  return block;
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

/** The sum of all bytes, with those of the checksum itself as blanks. */
function checksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (const [index, byte] of block.entries()) if (index < 148 || index >= 156) sum += byte;
  return sum;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

function parseOctal(text: string): number | undefined {
  const digits = text.trim();
  return /^[0-7]{1,11}$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}
