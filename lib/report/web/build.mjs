// Bundles the page into one classic script and one style sheet and writes them as a C++ source (argument 1).
// Classic and self-contained, because modules and fetch do not work in a page opened from disk.
import { build } from 'esbuild';
import { readFileSync, writeFileSync } from 'node:fs';

const result = await build({
  entryPoints: { report: 'src/main.ts' },
  bundle: true,
  format: 'iife',
  target: ['chrome100', 'firefox100', 'safari15'],
  charset: 'ascii',
  minify: true,
  legalComments: 'none',
  write: false,
  outdir: 'out',
});
const script = result.outputFiles.find((file) => file.path.endsWith('.js')).contents;
const style = readFileSync('src/report.css');

const array = (name, bytes) => {
  const lines = [];
  for (let i = 0; i < bytes.length; i += 24) lines.push(Array.from(bytes.subarray(i, i + 24)).join(','));
  return `const unsigned char ${name}[] = {\n${lines.join(',\n')}};\n`;
};
const view = (name, data) =>
  `std::string_view ${name}() { return {reinterpret_cast<const char*>(${data}), sizeof ${data}}; }\n`;

writeFileSync(
  process.argv[2],
  `#include "report/page_assets.hpp"\nnamespace touchstone::report {\nnamespace {\n${array('kScript', script)}${array('kStyle', style)}}\n` +
    `${view('page_script', 'kScript')}${view('page_style', 'kStyle')}}\n`,
);
