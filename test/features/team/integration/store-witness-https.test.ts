/** A witness at an HTTPS address: its head, and answers that say nothing. */

import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OpenOptions } from '../../../../src/core/adapters/store/store-url.ts';
import { issueCa, issueServer } from '../../../../src/core/domain/pki/certificate.ts';
import { parseSan } from '../../../../src/core/domain/pki/san.ts';
import { readWitness } from '../../../../src/features/team/store/read-witness.ts';

const now = new Date();
const root = await issueCa({ name: 'test', days: 3, keyType: 'p256', now });
const { cert, key } = await issueServer({
  ca: root,
  sans: [parseSan('127.0.0.1')],
  days: 2,
  keyType: 'p256',
  now,
});
const MARK = { id: 'a1', number: 7, hash: '7-abcdef12' };
const ANSWERS: Readonly<Record<string, readonly [status: number, body: string]>> = {
  '/document': [200, JSON.stringify({ schema: 1, command: 'store check', ok: true, result: { head: MARK } })],
  '/alone': [200, JSON.stringify(MARK)],
  '/missing': [404, JSON.stringify(MARK)],
  '/moved': [302, JSON.stringify(MARK)],
  '/other': [200, '{"result":{"head":7}}'],
  '/text': [200, '<html>'],
  '/long': [200, `${' '.repeat(100_000)}${JSON.stringify(MARK)}`],
};
let requests = 0;
const server = createServer({ cert, key: key.reveal() }, ({ url = '' }, response) => {
  requests += 1;
  const [status, body] = ANSWERS[url] ?? [500, ''];
  response.writeHead(status, { location: '/alone' }).end(body);
});
let base: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

const read = (path: string, ca: string | undefined = root.cert) => readWitness(base + path, {} as OpenOptions, ca);

test.each(['/document', '/alone'])('%s is what it has seen', async (path) => {
  expect(await read(path)).toEqual(MARK);
});

test.each(['/missing', '/moved', '/other', '/text', '/long'])('%s says nothing, and is an error', async (path) => {
  await expect(read(path)).rejects.toMatchObject({ code: 'E_STORE_WITNESS', exit: 4, where: base + path });
});

test('a server of an unknown CA is not asked, whatever NODE_TLS_REJECT_UNAUTHORIZED says', async () => {
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  const before = requests;
  try {
    await expect(readWitness(`${base}/alone`, {} as OpenOptions)).rejects.toMatchObject({ code: 'E_STORE_WITNESS' });
  } finally {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  }
  expect(requests).toBe(before);
});
