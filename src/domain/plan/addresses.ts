/** Owns the reading of a host's addresses, as `ip -o addr` prints them. */

export type Address = { readonly interface: string; readonly address: string };

export function parseAddresses(text: string): Address[] {
  const lines = text.matchAll(/^\d+:\s+(\S+)\s+inet6?\s+([0-9a-fA-F.:]+)/gm);
  return Array.from(lines, ([, name = '', address = '']) => ({ interface: name.replace(/@.*/, ''), address }));
}

/** Those that have an address, each once. */
export function interfacesOf(addresses: readonly Address[]): string[] {
  return [...new Set(addresses.map((one) => one.interface))];
}
