/**
 * The table of host kinds and the tests of each: docs/lists/tested-hosts.md, and test/core/unit/hosts-doc.test.ts checks the names against
 * the files.
 */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Column titles, in the order of a host's life. */
export const TRIED = [
  'setup',
  'a second one: nothing to do',
  'rotate under a client every 10 ms',
  'revoke',
  'rollback',
  'remove, byte for byte',
  'containers keep running',
  'the controller is killed',
  'a reboot in the middle',
] as const;

/** `FILE: TEST` of CI; in brackets: run by a script before a release, by hand, or not at all, with the reason. */
export type Cell = string;
export type KindTried = { readonly kind: string; readonly cells: readonly Cell[] };

const NFT = 'held-port: without iptables: whatever dies in the middle';
const FAULTS = 'faults: whatever dies, at whatever step';
const NFT_ROUND = 'held-port: a second setup, a revocation, a rollback and a removal';
const ROUND =
  'setup, rotation under a client, revocation, rollback and removal: no client refused, no container stopped, no trace left';
// <!-- init -->
const INIT = `without-systemd: ${ROUND}`;
const INIT_FAULT = 'without-systemd: whatever dies in the middle';
// <!-- /init -->
// <!-- podman -->
const PODMAN = `podman: ${ROUND}`;
const PODMAN_FAULT = 'podman: whatever dies in the middle';
// <!-- haproxy -->
const BEFORE_PODMAN = 'haproxy-podman: a setup, a rotation and a role leave the containers and new connections alone';
// <!-- /haproxy -->
// <!-- /podman -->
// <!-- rootless -->
const OWN =
  'rootless: setup, rotation under a client, revocation, rollback and removal: as the user alone, no client refused, no trace left';
const OWN_FAULT = 'rootless: whatever dies in the middle';
/** ROOTLESS_SUITE=rootless-sid */
const OWN_BY_HAND = '[`rootless`, by hand]';
// <!-- /rootless -->
// <!-- tools -->
const FIRST_BOOT = 'first-boot: the files of the plan, laid out before a boot';
// <!-- /tools -->
const BUSY = 'no-client-refused: first setup with a busy socket';
const SELINUX = '[scripts/selinux]';
const HAND = '[by hand]';

const all = (cell: Cell): Cell[] => TRIED.map(() => cell);

export const KINDS_TRIED: readonly KindTried[] = [
  {
    kind: 'systemd with iptables: Docker 20.10, 26.1, 28.5',
    cells: [
      'setup: setup with --json: one document',
      'setup: a second run changes nothing',
      BUSY,
      'rotation: one of three clients is revoked',
      'rollback: across another port',
      'remove: after two generations and a remove nothing differs',
      BUSY,
      FAULTS,
      FAULTS,
    ],
  },
  {
    kind: 'systemd with nft alone',
    cells: [
      NFT_ROUND,
      NFT_ROUND,
      'no-client-refused: where nft holds the port',
      NFT_ROUND,
      NFT_ROUND,
      NFT_ROUND,
      NFT_ROUND,
      NFT,
      NFT,
    ],
  },
  {
    kind: 'SELinux enforcing, a virtual machine',
    cells: [
      SELINUX,
      SELINUX,
      '[no: too slow]',
      SELINUX,
      SELINUX,
      '[scripts/selinux, labels only]',
      SELINUX,
      '[scripts/selinux, one step]',
      '[scripts/selinux, one step]',
    ],
  },
  // <!-- tools -->
  {
    kind: '`/usr` read-only, dockerd through `env`, files of `butane`',
    cells: [
      FIRST_BOOT,
      FIRST_BOOT,
      FIRST_BOOT,
      FIRST_BOOT,
      FIRST_BOOT,
      FIRST_BOOT,
      '[as with systemd]',
      '[as with systemd]',
      '[as with systemd]',
    ],
  },
  // <!-- /tools -->
  // <!-- rootless -->
  {
    kind: 'rootless Docker 26.1',
    cells: [OWN, OWN, OWN, OWN, OWN, OWN, '[no, see Promises]', OWN_FAULT, OWN_FAULT],
  },
  {
    kind: 'rootless Docker 28.5',
    cells: [...all(OWN_BY_HAND).slice(0, 6), '[no, see Promises]', OWN_BY_HAND, OWN_BY_HAND],
  },
  // <!-- /rootless -->
  // <!-- init -->
  { kind: "sysvinit, Debian's script", cells: [...all(INIT).slice(0, 7), INIT_FAULT, INIT_FAULT] },
  { kind: "OpenRC, Debian's script, busybox", cells: [...all(INIT).slice(0, 7), '[scripts/faults]', INIT_FAULT] },
  {
    kind: 'OpenRC, a native script with supervise-daemon',
    cells: [...all(INIT).slice(0, 7), INIT_FAULT, INIT_FAULT],
  },
  // <!-- /init -->
  // <!-- podman -->
  { kind: 'Podman 5.8', cells: [...all(PODMAN).slice(0, 7), PODMAN_FAULT, PODMAN_FAULT] },
  // <!-- haproxy -->
  {
    kind: 'HAProxy before Podman 5.4 and 5.8',
    cells: [
      BEFORE_PODMAN,
      BEFORE_PODMAN,
      '[`haproxy-podman`, every 50 ms]',
      'haproxy-podman: a revoked client, a stopped service and an edited one: refused, seen, and put right',
      'haproxy-podman: a socket for containers has its role; it is all there after a reboot',
      'haproxy-podman: remove leaves nothing',
      BEFORE_PODMAN,
      '[no]',
      '[no]',
    ],
  },
  // <!-- /haproxy -->
  // <!-- /podman -->
  {
    kind: 'Docker 29.1',
    cells: [HAND, '[no]', '[by hand, without the client]', '[no]', '[no]', '[no]', '[no]', '[no]', '[no]'],
  },
];

/** The CI test named by a cell. */
export function testOf(cell: Cell): { readonly file: string; readonly title: string } | undefined {
  const [, name, title] = /^([a-z-]+): (.*)$/.exec(cell) ?? [];
  return name === undefined || title === undefined ? undefined : { file: `test/e2e/${name}.test.ts`, title };
}

/** The table's cell. */
export function cellWords(cell: Cell): string {
  return testOf(cell) === undefined
    ? cell.replace(/^\[(.*)\]$/, '$1')
    : `\`${testOf(cell)?.file.slice('test/e2e/'.length, -'.test.ts'.length)}\``;
}

/** Cells that name no test of the repository in `root`, and rows with more or fewer cells than titles. */
export function untriedCells(root: string): string[] {
  return KINDS_TRIED.flatMap(({ kind, cells }) => {
    const untried = cells.filter((cell) => {
      const named = testOf(cell);
      if (named === undefined) return !/^\[.+\]$/.test(cell);
      const file = join(root, named.file);
      return !existsSync(file) || !readFileSync(file, 'utf8').includes(`test('${named.title}`);
    });
    return cells.length === TRIED.length ? untried : [`${kind} (${cells.length} cells)`, ...untried];
  });
}
