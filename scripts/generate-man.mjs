// Writes the man pages, made from the commands by scripts/reference.ts. Usage: node scripts/generate-man.mjs DIRECTORY
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureDirSync, readJsonSync, removeSync } from 'fs-extra/esm';
import { loadSource } from './bundle.mjs';

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('usage: node scripts/generate-man.mjs DIRECTORY');
const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = readJsonSync(join(root, 'package.json'));
const { loadReference, renderManPages } = await loadSource(root, 'scripts/reference.ts');
removeSync(directory);
ensureDirSync(directory);
for (const [name, text] of renderManPages(await loadReference(), version)) writeFileSync(join(directory, name), text);
