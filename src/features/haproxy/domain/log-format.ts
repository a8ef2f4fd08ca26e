/** Log lines of HAProxy: JSON, in which every text of a client is escaped. */

/** Characters that are kept of what a client sends. */
export const LOGGED = { method: 32, path: 512, subject: 64 } as const;

const text = (name: string) => `%[var(txn.${name}),json(utf8s)]`;

/** A request of a limited client, or a connection of one with full access, when it ends. No query, no header. */
export const REQUEST_LOG = `{"docker-tls":"request","kind":"${text('kind')}","client":"${text('client')}","role":"${text('role')}","address":"%ci","method":"${text('method')}","path":"${text('path')}","status":"${text('status')}","ms":"%[date(0,ms),sub(txn.start)]","end":"%ts"}`;

/** A TLS handshake that failed: no certificate, or one that no accepted CA signed. */
export const HANDSHAKE_LOG =
  '{"docker-tls":"handshake","address":"%ci","reason":"%[fc_err_str,json(utf8s)]","verify":"%[ssl_c_err]"}';
