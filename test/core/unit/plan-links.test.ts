/** Settings files that are links: read through the link, edited at its target; the link itself never changes. */

import { describe, expect, test } from 'vitest';
import { STATE } from '../../../src/core/domain/dockerd/paths.ts';
import { planHost } from '../../../src/core/domain/plan/plan-host.ts';
import { planRestore } from '../../../src/core/domain/plan/plan-restore.ts';
import { preflight } from '../../../src/core/domain/plan/preflight.ts';
import { renderTransaction } from '../../../src/core/domain/plan/transaction.ts';
import { keptOf } from '../../../src/core/domain/settings-stored.ts';
import { sent as credentials, desired, factsOf, FACTS_TIME_MS as NOW } from '../../support/host-facts.ts';

const JSON_FILE = '/etc/docker/daemon.json';

function linked(path: string, to: string, lies: string): Record<string, string> {
  return { [`file:${path}`]: `link 777 0:0\n${to}`, [`leads:${path}`]: to, [`file:${to}`]: lies };
}

const config = linked(JSON_FILE, '/srv/cfg/daemon.json', 'file 600 0:7\n{ "data-root": "/data" }\n');
const options = {
  id: 'a1',
  who: 'me',
  now: new Date(0),
  confirmWithin: 90,
  keep: 3,
  reason: 'test',
  settings: keptOf({}),
};

/** The script and data sent to the host. */
function sent(facts: ReturnType<typeof factsOf>, plan = planHost(facts, desired)) {
  const { script, input } = renderTransaction(plan, facts, credentials, options);
  return { script, input: input.map((part) => (part instanceof Uint8Array ? Buffer.from(part).toString() : '')) };
}

describe('daemon.json is a link', () => {
  test('protected only: it stays the very same, and its forms for a moment hold all of it, as open as it is', () => {
    const facts = factsOf(config);
    const plan = planHost(facts, desired);
    expect(plan.containers.how).toBe('temporary');
    expect(plan.files.map(({ path }) => path)).not.toContain('/srv/cfg/daemon.json');
    const { script, input } = sent(facts);
    expect(script).toMatch(/\tfile\t-\t-\tsame\t\/srv\/cfg\/daemon\.json\n/);
    expect(script).not.toContain(`\t${JSON_FILE}\n`);
    expect(script).toMatch(/old-on:[0-9a-f]+:0600:0:7 old-off:[0-9a-f]+:0600:0:7 new-on:[0-9a-f]+:0600:0:7 new-off/);
    const forms = script.match(/^DATA_(?:old|new)_o(?:n|ff)='[^']*'$/gm) ?? [];
    expect(forms).toHaveLength(4);
    for (const form of forms) expect(form).toContain('"data-root": "/data"');
    // The host detects a change of the file, or of the link's target.
    expect(script).toMatch(/^(?:SEEN=')?[0-9a-f]{64} {2}\/etc\/docker\/daemon\.json$/m);
    // Secrets travel only on standard input.
    expect(script).toMatch(/^DATA_2=CERT$/m);
    expect(script).not.toMatch(/^DATA_\d+=KEY$/m);
    expect(input).toHaveLength(1);
  });

  test('edited: the file that it leads to, its mode and owner, and what remove brings back', () => {
    const own = linked(JSON_FILE, '/srv/cfg/daemon.json', 'file 600 0:7\n{ "tls": true, "debug": true }\n');
    const plan = planHost(factsOf(own), desired);
    expect(plan.files.find(({ path }) => path === '/srv/cfg/daemon.json')).toMatchObject({
      mode: '0600',
      owner: '0:7',
      after: expect.stringContaining('"tlscacert": "/etc/docker/tls/current/ca.pem"'),
    });
    expect(plan.managed.map(({ path }) => path)).toContain('/srv/cfg/daemon.json');
    expect(plan.managed.map(({ path }) => path)).not.toContain(JSON_FILE);
  });

  test('remove, where the state before was a link: the containers are protected with what it leads to', () => {
    const managed = [{ kind: 'file', path: JSON_FILE }];
    const facts = factsOf({
      'file:/srv/cfg/daemon.json': 'file 644 0:0\n{ "data-root": "/data" }',
      [`file:${JSON_FILE}`]: 'file 644 0:0\n{ "debug": true }',
      [`file:${STATE}/state.json`]: `file 600 0:0\n${JSON.stringify({ schema: 1, name: 'h1', generation: 1, generations: [], managed })}`,
      [`file:${STATE}/origin/manifest`]: `file 600 0:0\n1\tlink\t777\t0:0\t${JSON_FILE}\n`,
      [`file:${STATE}/origin/1`]: 'link 777 0:0\n/srv/cfg/daemon.json',
    });
    const { daemonJson } = planRestore(facts, 'none', desired);
    expect(daemonJson).toMatchObject({ path: JSON_FILE, before: '{ "debug": true }' });
    expect(daemonJson.after).toContain('/data');
  });

  test.each([
    ['to no file', linked(JSON_FILE, '/dev/null', 'other 666 0:0\n'), expect.toSay('link-not-file', '/dev/null')],
    ['nowhere', { [`file:${JSON_FILE}`]: 'link 777 0:0\n/no/such/file' }, expect.toSay('daemon-json-dangling-link')],
  ])('it leads %s', (_, more, words) => {
    const facts = factsOf(more);
    const found = preflight({
      host: 'h1',
      login: { destination: 'h1' },
      facts,
      skewMs: 0,
      nowMs: NOW,
      port: 2376,
      plan: planHost(facts, desired),
    });
    expect(found.map(({ code }) => code)).toEqual(['E_CONFIG_FILE']);
    expect(found[0]?.message).toEqual(words);
  });
});

test('a drop-in that is a link: our command line comes from its own', () => {
  const path = '/etc/systemd/system/docker.service.d/override.conf';
  const facts = factsOf({
    ...linked(path, '/srv/o.conf', 'file 644 0:0\n[Service]\nExecStart=\nExecStart=/opt/dockerd -H fd:// --debug\n'),
    'drop-ins': path,
  });
  const dropIn = planHost(facts, desired).files.find((change) => change.path.endsWith('zz-docker-tls.conf'));
  expect(dropIn?.after).toContain('ExecStart=/opt/dockerd -H fd:// --debug --tlsverify');
});

test('/etc/default/docker that is a link: its open port is closed, in the file that it leads to', () => {
  const facts = factsOf(
    linked('/etc/default/docker', '/srv/opts', 'file 640 0:0\nDOCKER_OPTS="--debug -H tcp://0.0.0.0:2375"\n'),
  );
  const plan = planHost(facts, desired);
  expect(plan.warnings.join()).toContain('tcp://0.0.0.0:2375 is closed');
  expect(plan.files.find(({ path }) => path === '/srv/opts')).toMatchObject({
    mode: '0640',
    after: 'DOCKER_OPTS="--debug"\n',
  });
});
