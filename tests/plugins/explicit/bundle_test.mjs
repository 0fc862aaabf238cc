// node --test bundle_test.mjs: the readers of the model's packaging, and what the converter must refuse.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import test from 'node:test';
import {fileURLToPath} from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const models = join(here, '../../../plugins/explicit/models');
const {parse_literal, read_model, read_shard, read_weights} = await import(join(models, 'bundle.mjs'));
const {convert} = await import(join(models, 'convert.mjs'));
const fixture = (name) => readFileSync(join(here, 'fixture', name), 'latin1');
const scripts = ['model.min.js', 'group1-shard1of2.min.js', 'group1-shard2of2.min.js'].map(fixture);
const description = JSON.parse(fixture('tiny.json'));

test('a minified literal means what JavaScript takes it for', () => {
  const text = '{a:!0,b:!1,"c d":[.5,-1e-3,7,-.25,[]],e:{},f:null,g:"x\\"\\u00e9",h:void 0}';
  assert.deepEqual(parse_literal(text), {
    a: true,
    b: false,
    'c d': [0.5, -0.001, 7, -0.25, []],
    e: {},
    f: null,
    g: 'x"é',
    h: null,
  });
});

test('anything but a literal is refused', () => {
  for (const text
           of ['{a:require("x")}', '{a:1+1}', '{a:f}', '[1,2', '{a:1,,b:2}', '{"a"}', '`x`', '',
               '['.repeat(1000)])
    assert.throws(() => parse_literal(text), /object literal/, text);
  assert.deepEqual(Object.getPrototypeOf(parse_literal('{__proto__:{x:1}}')), Object.prototype);
});

test('a file without a model or weights is refused', () => {
  assert.throws(() => read_model('exports={}'), /no layers-model/);
  assert.throws(() => read_shard('a.exports="not base64!"'), /no base64/);
});

test('weights are dequantised as stored: value times scale plus minimum', () => {
  const quantised = (name, dtype, scale, min) =>
      ({name, shape: [2], dtype: 'float32', quantization: {dtype, scale, min}});
  const manifest = [{
    weights: [
      quantised('a', 'uint8', 0.5, -1), quantised('b', 'uint16', 2, 10),
      {name: 'c', shape: [1], dtype: 'float32'}
    ]
  }];
  const bytes = Buffer.from([0, 255, 1, 0, 0, 1, 0, 0, 0x80, 0x3f]);
  const weights = read_weights(manifest, bytes);
  assert.deepEqual([...weights.get('a').data], [-1, 126.5]);
  assert.deepEqual([...weights.get('b').data], [12, 522]);
  assert.deepEqual([...weights.get('c').data], [1]);
  assert.throws(() => read_weights(manifest, bytes.subarray(0, 9)), /too short/);
  assert.throws(() => read_weights(manifest, Buffer.concat([bytes, bytes])), /more than/);
});

test('a layer that is not known is refused, not left out', () => {
  const changed = scripts[0].replace('class_name:"AveragePooling2D"', 'class_name:"MaxPooling2D"');
  assert.notEqual(changed, scripts[0]);
  assert.throws(() => convert([changed, ...scripts.slice(1)], description), /MaxPooling2D is not supported/);
});

test('uneven padding that no runtime agrees on is refused', () => {
  const changed = scripts[0].replace('padding:[[0,1],[0,1]]', 'padding:[[1,0],[1,0]]');
  assert.notEqual(changed, scripts[0]);
  assert.throws(() => convert([changed, ...scripts.slice(1)], description), /uneven padding/);
});

test('labels must be as many as outputs', () => {
  assert.throws(() => convert(scripts, {...description, labels: ['a', 'b']}), /3 outputs for 2 labels/);
});
