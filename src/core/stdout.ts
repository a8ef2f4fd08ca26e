/** Complete writes to standard output: a file gets the whole text, or the stream reports the error. */

import { fstatSync, writeSync } from 'node:fs';

type Stdout = NodeJS.WriteStream & { readonly fd: number };

export function writerTo(stdout: Stdout): (text: string) => void {
  return isFile(stdout.fd) ? (text) => writeFile(stdout, text) : (text) => void stdout.write(text);
}

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    // Closed before the first write.
    return false;
  }
}

/** Node's stream mistakes a short write, typical of a nearly full disk, for a complete one. */
function writeFile(stream: Stdout, text: string): void {
  try {
    for (let rest = Buffer.from(text); rest.length > 0; ) rest = rest.subarray(writeSync(stream.fd, rest));
  } catch (error) {
    stream.emit('error', error);
  }
}
