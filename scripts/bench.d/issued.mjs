// A store with a CA, hosts and one client, as setups would leave it, without any host.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** `count` hosts `h0`, `h1`, … at 127.0.0.1, and the client `laptop`. */
export async function issuedStore(home, count) {
  // Below node_modules, where packages are found.
  const cache = join(root, 'node_modules/.cache', `bench-${process.pid}`);
  mkdirSync(cache, { recursive: true });
  try {
    const outfile = join(cache, 'store.mjs');
    buildSync({
      absWorkingDir: root,
      entryPoints: ['test/support/issued-store.ts'],
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      mainFields: ['module', 'main'],
      packages: 'external',
      loader: { '.sh': 'text', '.html': 'text' },
    });
    const { issueStore } = await import(pathToFileURL(outfile).href);
    const hosts = Object.fromEntries(Array.from({ length: count }, (_, index) => [`h${index}`, {}]));
    await issueStore(home, { hosts, clients: { laptop: undefined } });
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}
