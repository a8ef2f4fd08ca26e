/** A tar archive of a few small plain files (ustar, POSIX.1-2017 pax "ustar Interchange Format"). Pure. */

/** Bytes of a header; the data of a file fill whole blocks. */
export const BLOCK = 512;

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

/** The sum of all bytes, with those of the checksum itself as blanks. */
export function checksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (const [index, byte] of block.entries()) if (index < 148 || index >= 156) sum += byte;
  return sum;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
