// Bundles src/ into dist/. Names of assets carry a hash of their content, so nginx can let browsers keep them for ever;
// index.html names the current ones and is asked for anew each time.

import { build } from 'esbuild';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';

await rm('dist', { recursive: true, force: true });
await mkdir('dist', { recursive: true });
const { metafile } = await build({
  entryPoints: ['src/main.ts', 'src/main.css'],
  outdir: 'dist/assets',
  entryNames: '[name]-[hash]',
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  metafile: true,
});

let page = await readFile('src/index.html', 'utf8');
for (const output of Object.keys(metafile.outputs)) {
  page = page.replace(`{{main${extname(output)}}}`, `/assets/${basename(output)}`);
}
if (page.includes('{{')) {
  throw new Error('src/index.html names an asset that was not built');
}
await writeFile('dist/index.html', page);
