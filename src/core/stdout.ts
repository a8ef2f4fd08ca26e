/** Writing to standard output: a file gets all of a text, or the stream says why not. */

import { fstatSync, writeSync } from 'node:fs';

type Stdout = NodeJS.WriteStream & { readonly fd: number };

export function writerTo(stdout: Stdout): (text: string) => void {
  return isFile(stdout.fd) ? (text) => writeFile(stdout, text) : (text) => void stdout.write(text);
}

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    // Closed before we began.
    return false;
  }
}

/** Node's stream takes a short write, which is what a disk that is nearly full answers, for a whole one. */
function writeFile(stream: Stdout, text: string): void {
  try {
    for (let rest = Buffer.from(text); rest.length > 0; ) rest = rest.subarray(writeSync(stream.fd, rest));
  } catch (error) {
    stream.emit('error', error);
  }
}
