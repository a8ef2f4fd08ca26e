// Bundles src/cli/main.ts into dist/ with esbuild: ESM, code splitting (one lazy chunk per command), our own dependencies
// included, so that the package starts fast and needs no build step. Shell scripts are bundled as text. What is bundled is listed in
// packages.json, with its licences in THIRD-PARTY-LICENSES.txt.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

// Usage: node scripts/build.mjs [OUTDIR]; tests build into a directory of their own.
const outdir = process.argv[2] ?? 'dist';
const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

rmSync(resolve(root, outdir), { recursive: true, force: true });
const { metafile } = await build({
  metafile: true,
  absWorkingDir: root,
  entryPoints: {
    main: 'src/cli/main.ts',
    complete: 'src/cli/complete.ts',
    notice: 'src/cli/notice.ts',
    thread: 'src/adapters/thread.ts',
  },
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  // jsonc-parser's main is UMD, whose inner requires no bundler can follow; its module is not.
  mainFields: ['module', 'main'],
  target: 'node20',
  minifySyntax: true,
  legalComments: 'eof',
  loader: { '.sh': 'text', '.html': 'text' },
  define: { DOCKER_TLS_VERSION: JSON.stringify(version) },
  // The native add-ons of ssh2 are optional; without them ssh2 uses plain JavaScript and node:crypto.
  external: ['cpu-features', '*.node'],
  // CommonJS packages inside the bundle still expect these three.
  banner: {
    js: [
      "import { createRequire as __createRequire } from 'node:module';",
      'const require = __createRequire(import.meta.url);',
      'const __dirname = import.meta.dirname ?? new URL(".", import.meta.url).pathname;',
      'const __filename = new URL(import.meta.url).pathname;',
    ].join('\n'),
  },
  logLevel: 'warning',
});

// What bin/docker-tls-plugin says of itself, without Node (docker/cli, cli-plugins/metadata/metadata.go).
const plugin = {
  SchemaVersion: '0.1.0',
  Vendor: 'docker-tls',
  Version: version,
  ShortDescription: 'TLS for remote Docker daemons',
};
writeFileSync(resolve(root, outdir, 'plugin.json'), `${JSON.stringify(plugin)}\n`);

const directories = new Set();
for (const input of Object.keys(metafile.inputs)) {
  const found = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input);
  if (found) directories.add(found[0]);
}
const packages = [...directories].sort().map((directory) => {
  const { name, version: found, license } = JSON.parse(readFileSync(join(root, directory, 'package.json'), 'utf8'));
  return { directory, name, version: found, license };
});
const licences = packages.map(({ directory, ...manifest }) => {
  const text = (name) => readFileSync(join(root, directory, name), 'utf8').trim();
  const files = readdirSync(join(root, directory)).filter((name) => /^(licen[cs]e|copying|notice)/i.test(name));
  return [`${manifest.name} ${manifest.version} (${manifest.license ?? 'see below'})`, ...files.sort().map(text)].join(
    '\n\n',
  );
});
writeFileSync(
  join(resolve(root, outdir), 'THIRD-PARTY-LICENSES.txt'),
  `docker-tls contains these packages, and entries of golang/vulndb (https://github.com/golang/vulndb, CC-BY-4.0) in its table of known vulnerabilities.\n\n${licences.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`,
);
writeFileSync(
  join(resolve(root, outdir), 'packages.json'),
  `${JSON.stringify(
    packages.map(({ name, version: found, license }) => ({ name, version: found, license })),
    null,
    2,
  )}\n`,
);
