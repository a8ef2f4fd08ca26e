/** Hosts without a port in the network: only sockets on the host itself. */

/** In place of addresses, in the setting `listen`. */
export const NO_PORT = 'none';

export function hasPort({ listen = [] }: { readonly listen?: readonly string[] | undefined }): boolean {
  return !listen.includes(NO_PORT);
}
