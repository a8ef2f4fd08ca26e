// The scripts that run on a host, put together from their modules as the program does it (src/core/host/scripts.ts).
import { build } from 'esbuild';

const root = new URL('..', import.meta.url).pathname;

/** All exports of src/core/host/scripts.ts. */
export function hostScripts() {
  return bundled('src/core/host/scripts.ts');
}

/** All exports of a module of the program. */
export async function bundled(path) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [path],
    bundle: true,
    format: 'esm',
    platform: 'node',
    loader: { '.sh': 'text' },
    write: false,
    logLevel: 'error',
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}
