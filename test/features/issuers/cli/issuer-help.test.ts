/** Help of `ca import`: the options of one issuer at a time. */

import { expect, test } from 'vitest';
import { runCli } from '../../../support/cli.ts';

const OF_ISSUERS = ['--step-ca', '--cfssl', '--vault', '--sign-command', '--pkcs11'];

test.each(OF_ISSUERS)('the page of %s has its options and none of another issuer', async (flag) => {
  const topic = flag.slice(2);
  const page = await runCli(['ca', 'import', '--help', topic]);
  expect(page.exit).toBe(0);
  expect(page.out).toContain(`      ${flag} `);
  for (const other of OF_ISSUERS) if (other !== flag) expect(page.out).not.toContain(`      ${other} `);
  expect((await runCli(['help', 'ca', 'import', topic])).out).toBe(page.out);
});

test('without an issuer the page names each, and an unknown one is refused', async () => {
  const { out } = await runCli(['ca', 'import', '--help']);
  for (const flag of OF_ISSUERS) {
    expect(out).not.toContain(`      ${flag} `);
    expect(out).toContain(`docker-tls ca import --help ${flag.slice(2)}`);
  }
  const { exit, err } = await runCli(['ca', 'import', '--help', 'nothing']);
  expect(exit).toBe(2);
  expect(err).toContain('no help about "nothing"');
});
