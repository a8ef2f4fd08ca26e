/**
 * A server in Python in place of dockerd. It tells a rejected client the reason (Node's just hangs up). Like Go and so dockerd, it accepts
 * any certificate of the trust file as the end of a chain.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProbeCredentials } from '../../src/core/runtime.ts';

/** Greets clients of `trust` (PEM) by their common name, and rejects others. */
export async function withStrictServer(
  { server, trust }: { readonly server: ProbeCredentials; readonly trust: string },
  use: (port: number) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'docker-tls-strict-'));
  const files = [trust, server.cert, server.key.revealText()].map((text, index) => {
    const path = join(directory, `${index}.pem`);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  });
  const child = spawn('/usr/bin/python3', ['-c', PROGRAM, ...files], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [port] = (await once(child.stdout, 'data')) as [Buffer];
    await use(Number(port.toString()));
  } finally {
    child.kill();
    await once(child, 'exit');
    rmSync(directory, { recursive: true });
  }
}

const PROGRAM = `
import socket, ssl, sys, threading
trust, cert, key = sys.argv[1:]
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=trust)
context.verify_mode = ssl.CERT_REQUIRED
context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
context.load_cert_chain(cert, key)
def serve(plain):
    try:
        with context.wrap_socket(plain, server_side=True) as wrapped:
            wrapped.recv(4096)
            names = dict(pair for part in wrapped.getpeercert()["subject"] for pair in part)
            body = "hello " + names["commonName"]
            wrapped.sendall(f"HTTP/1.1 200 OK\\r\\nContent-Length: {len(body)}\\r\\n\\r\\n{body}".encode())
            wrapped.unwrap()
    except OSError:
        plain.close()
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
`;
