/** Owns how dockerd serves TCP with its TLS settings. */

/**
 * TLS is on wherever `tlsverify` is given at all, `false` included, and clients have to show a certificate wherever TLS is on and
 * `tlsverify` is not `false`: `tls` alone is enough (moby: loadDaemonCliConfig, newAPIServerTLSConfig; seen on 20.10, 26.1 and 28.5).
 */
export function tlsMode(tls: boolean, tlsverify: boolean | undefined): 'none' | 'unverified' | 'verified' {
  if (tlsverify !== undefined) return tlsverify ? 'verified' : 'unverified';
  return tls ? 'verified' : 'none';
}
