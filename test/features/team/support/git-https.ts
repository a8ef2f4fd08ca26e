/** Git server over HTTPS for tests: git's own http-backend behind TLS and a password, like every forge. */

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

export type GitServer = { readonly port: number; readonly asked: string[]; stop(): Promise<void> };

/** Serves the repositories below `root` to the user `ada`. */
export async function serveGit(
  root: string,
  tls: { readonly cert: string; readonly key: string },
  password: string,
): Promise<GitServer> {
  const asked: string[] = [];
  const allowed = `Basic ${Buffer.from(`ada:${password}`).toString('base64')}`;
  const server = createServer({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) }, (request, response) => {
    const url = new URL(request.url ?? '/', 'https://localhost');
    asked.push(`${request.method} ${url.pathname}`);
    if (request.headers.authorization !== allowed) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    const env = {
      ...{ PATH: process.env.PATH, GIT_PROJECT_ROOT: root, GIT_HTTP_EXPORT_ALL: '1', REMOTE_USER: 'ada' },
      ...{ PATH_INFO: url.pathname, QUERY_STRING: url.search.slice(1), REQUEST_METHOD: request.method },
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    };
    const backend = spawn('git', ['http-backend'], { env, stdio: ['pipe', 'pipe', 'ignore'] });
    request.pipe(backend.stdin);
    backend.stdin.on('error', () => {});
    const chunks: Buffer[] = [];
    backend.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    backend.on('close', () => {
      // CGI: headers, one of them the status, then the body.
      const all = Buffer.concat(chunks);
      const end = all.indexOf('\r\n\r\n');
      const headers = all
        .subarray(0, end)
        .toString('latin1')
        .split('\r\n')
        .map((line) => line.split(/: (.*)/s) as [string, string]);
      const status = headers.find(([name]) => name === 'Status')?.[1];
      const rest = headers.filter(([name]) => name !== 'Status').map(([name, value]) => [name, value] as const);
      response.writeHead(Number.parseInt(status ?? '200', 10), Object.fromEntries(rest)).end(all.subarray(end + 4));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as { port: number }).port,
    asked,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
