// node convert.mjs PACKAGE_FOLDER MODEL.json OUTPUT_FOLDER
// Makes the ONNX file that MODEL.json describes out of an npm package's files, checks both against the hashes
// given there, and writes NAME.onnx and NAME.json. Exit code 1 and one line on stderr where something
// differs.
import {createHash} from 'node:crypto';
import {readFileSync, renameSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';

import {read_model, read_shard, read_weights} from './bundle.mjs';
import {kOpset, layers_to_graph} from './layers.mjs';
import {write_onnx} from './onnx.mjs';

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** The ONNX file as bytes. `scripts`: contents of the model file, then of the weights' shards in order. */
export function convert([model_script, ...shards], description) {
  const model = read_model(model_script);
  const weights = read_weights(model.weightsManifest, Buffer.concat(shards.map(read_shard)));
  const graph = layers_to_graph(model.modelTopology, weights, description.name);
  const [outputs] = graph.output.shape.slice(-1);
  if (outputs !== description.labels.length)
    throw new Error(`${outputs} outputs for ${description.labels.length} labels`);
  return write_onnx(graph, {
    opset: kOpset,
    producer: 'touchstone',
    metadata:
        {source: description.source, licence: description.licence, labels: description.labels.join(',')},
  });
}

function main([folder, description_file, output]) {
  if (output === undefined) throw new Error('usage: convert.mjs PACKAGE_FOLDER MODEL.json OUTPUT_FOLDER');
  const described = readFileSync(description_file);
  const description = JSON.parse(described.toString('utf8'));
  const scripts = Object.entries(description.inputs).map(([path, expected]) => {
    const bytes = readFileSync(join(folder, path));
    if (sha256(bytes) !== expected)
      throw new Error(`${path} is not the file that was reviewed: its SHA-256 differs`);
    return bytes.toString('latin1');
  });
  const bytes = convert(scripts, description);
  const made = sha256(bytes);
  if (made !== description.sha256)
    throw new Error(`the converted model has SHA-256 ${made}, not ${description.sha256}`);
  // The model last, and by renaming: where it stands, it and what describes it are whole.
  const place = (name, content) => {
    writeFileSync(join(output, `${name}.part`), content);
    renameSync(join(output, `${name}.part`), join(output, name));
  };
  place(`${description.name}.json`, described);
  place(`${description.name}.onnx`, bytes);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
