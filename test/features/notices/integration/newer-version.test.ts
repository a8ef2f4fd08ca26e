import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { RELEASES } from '../../../../src/core/seams/releases.ts';
import { interrupted } from '../../../../src/errors/errors.ts';
import { newerVersion } from '../../../../src/features/notices/adapters/newer-version.ts';
import { CertificateFactory } from '../../../support/certificate-factory.ts';
import { failure } from '../../../support/ssh-login.ts';

const factory = new CertificateFactory();
afterAll(() => factory.remove());
const root = factory.issue('root', { ca: true });
const { cert, key } = factory.issue('127.0.0.1', { by: root, san: 'IP:127.0.0.1', usage: 'serverAuth' });

/** What `act` gives while a server answers with `status` and `body`, and the request. */
async function answered<T>(status: number, body: string, act: (url: string) => Promise<T>) {
  const requests: IncomingMessage[] = [];
  const server = createServer({ cert, key }, (request, answer) => {
    requests.push(request);
    answer.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return { given: await act(`https://127.0.0.1:${(server.address() as AddressInfo).port}/latest`), requests };
  } finally {
    server.close();
  }
}

const { signal } = new AbortController();

test.each([
  ['0.1.0', 'v0.1.0', false],
  ['0.1.0', 'v0.1.1', true],
  ['0.9.0', 'v0.10.0', true],
  ['1.0.0', 'v0.10.0', false],
  ['0.2.0', 'v0.1.9', false],
  ['0.2.0-rc.1', 'v0.2.0', true],
  ['0.2.0-rc.1', 'v0.1.9', false],
])('%s, released %s: outdated %s; the request names neither version nor computer', async (own, tag, outdated) => {
  const { given, requests } = await answered(200, JSON.stringify({ tag_name: tag }), (url) =>
    newerVersion(own, url, signal, root.cert),
  );
  expect(given).toEqual({ newest: tag.slice(1), outdated });
  expect(requests).toHaveLength(1);
  expect(requests[0]?.headers['user-agent']).toBe('docker-tls');
});

test.each([
  [404, '{"message":"Not Found"}', 'no release is published'],
  [403, '{"message":"rate limit"}', 'no release in the answer (status 403)'],
  [200, '{"tag_name":"\\u001b[31mv9.9.9"}', 'no release in the answer (status 200)'],
  [200, 'not json', 'no release in the answer (status 200)'],
])('%s %s is an error', async (status, body, words) => {
  const { given } = await answered(status, body, (url) => failure(newerVersion('0.1.0', url, signal, root.cert)));
  expect(given).toMatchObject({ code: 'E_RELEASES', message: expect.stringContaining(words) });
});

test('Ctrl-C while it waits is an interruption', async () => {
  const silent = createServer({ cert, key }, () => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const controller = new AbortController();
  const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}/latest`;
  const error = failure(newerVersion('0.1.0', url, controller.signal, root.cert));
  controller.abort(interrupted('interrupted'));
  expect(await error).toMatchObject({ code: 'E_INTERRUPTED', exit: 130 });
  silent.closeAllConnections();
  silent.close();
});

test.each([
  ['a certificate of an unknown CA', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', '127.0.0.1', undefined],
  ['a certificate for another name', 'ERR_TLS_CERT_ALTNAME_INVALID', 'localhost', root.cert],
])('%s gets no request, whatever NODE_TLS_REJECT_UNAUTHORIZED says', async (_, code, host, ca) => {
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  try {
    const { given, requests } = await answered(200, '{"tag_name":"v9.9.9"}', (url) =>
      failure(newerVersion('0.1.0', url.replace('127.0.0.1', host), signal, ca)),
    );
    expect(given).toMatchObject({ code: 'E_RELEASES', message: expect.stringContaining(code) });
    expect(requests).toEqual([]);
  } finally {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  }
});

test('a redirection is not followed', async () => {
  const { given, requests } = await answered(302, '', (url) => failure(newerVersion('0.1.0', url, signal, root.cert)));
  expect(given).toMatchObject({ code: 'E_RELEASES', message: expect.stringContaining('(status 302)') });
  expect(requests).toHaveLength(1);
});

test('nothing listens', async () => {
  const error = await failure(newerVersion('0.1.0', 'https://127.0.0.1:4/latest', signal));
  expect(error).toMatchObject({ code: 'E_RELEASES', message: 'https://127.0.0.1:4/latest: ECONNREFUSED' });
});

test('the address is that of the repository in package.json', () => {
  const { repository } = JSON.parse(readFileSync(new URL('../../../../package.json', import.meta.url), 'utf8'));
  const path = /github\.com\/(.+)\.git$/.exec(repository.url)?.[1];
  expect(RELEASES.all.map(({ url }) => url)).toEqual([`https://api.github.com/repos/${path}/releases/latest`]);
});
