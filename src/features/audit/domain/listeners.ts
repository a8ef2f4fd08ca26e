/** Parser of a host's TCP listeners, from /proc/net/tcp and dockerd's sockets. */

import { ipText } from '../../../core/domain/pki/san.ts';

export type ListeningPort = { readonly address: string; readonly port: number; readonly byDockerd: boolean };

/** Parses the kernel's format `0100007F:1F90`: 32-bit words in host order (little-endian, as on every platform of Docker). */
function parseAddress(hex: string): { address: string; port: number } {
  const [words = '', port = '0'] = hex.split(':');
  const bytes = Buffer.from(words, 'hex');
  for (let index = 0; index + 4 <= bytes.length; index += 4) bytes.subarray(index, index + 4).reverse();
  return { address: ipText(bytes) ?? '', port: Number.parseInt(port, 16) };
}

export function parseListeners(text: string, sockets: string): readonly ListeningPort[] {
  const inodes = new Set(Array.from(sockets.matchAll(/socket:\[(\d+)\]/g), (found) => found[1] ?? ''));
  return text.split('\n').flatMap((line): readonly ListeningPort[] => {
    const found = /^\S+ ((?:[0-9A-F]{8}|[0-9A-F]{32}):[0-9A-F]{4}) (\d+)$/.exec(line);
    if (found === null) return [];
    return [{ ...parseAddress(found[1] ?? ''), byDockerd: inodes.has(found[2] ?? '') }];
  });
}
