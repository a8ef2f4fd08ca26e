// The scripts that run on a host, put together from their modules as the program does it (src/core/host/scripts.ts).
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url).pathname;

/** The script that gathers the facts of a host, with the kinds of hosts of all features. */
export async function factsScript() {
  const features = readdirSync(join(root, 'src/features'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `./src/features/${name}/feature.ts`)
    .filter((file) => readFileSync(join(root, file), 'utf8').includes('HOST_KINDS.add('));
  const imports = features.map((file) => `import '${file}';`);
  const contents = [...imports, "export { factsScript } from './src/core/engine/loaded-kinds.ts';"].join('\n');
  const program = await bundledOf({ stdin: { contents, resolveDir: root, loader: 'ts' } });
  return program.factsScript();
}

/** All exports of a module of the program. */
export function bundled(path) {
  return bundledOf({ entryPoints: [path] });
}

async function bundledOf(entry) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    ...entry,
    bundle: true,
    format: 'esm',
    platform: 'node',
    mainFields: ['module', 'main'],
    loader: { '.sh': 'text' },
    write: false,
    logLevel: 'error',
    // CommonJS libraries look for Node's modules.
    banner: { js: `import { createRequire } from 'node:module'; const require = createRequire('${import.meta.url}');` },
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}
