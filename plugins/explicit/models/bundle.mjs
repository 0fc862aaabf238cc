// Reads what nsfwjs packs into its `.min.js` files (a Keras layers-model as an object literal, its weights as
// base64) without running them: the literal has a parser of its own, the base64 is cut out.

/**
 * Parses the literal that a minifier leaves of JSON: bare keys, `!0`, `!1`, `void 0`, numbers such as `.5`.
 */
export function parse_literal(text, start = 0) {
  let at = start;
  let depth = 0;
  const fail = (what) => {
    throw new Error(`object literal: ${what} at character ${at}`);
  };
  const take = (pattern) => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) return null;
    at = pattern.lastIndex;
    return match[0];
  };
  const space = () => take(/\s*/y);
  const expect = (sign) => {
    space();
    if (text[at] !== sign) fail(`"${sign}" expected`);
    at += 1;
  };
  const string = () => {
    const quoted = take(/"(?:[^"\\\n]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"/y);
    return quoted === null ? fail('string expected') : JSON.parse(quoted);
  };
  // Elements up to `close`, with `element` called for each.
  const list = (close, element) => {
    if ((depth += 1) > 64) fail('nested too deeply');
    at += 1;
    space();
    if (text[at] === close) {
      at += 1;
    } else {
      for (;;) {
        element();
        space();
        if (text[at] === close) break;
        expect(',');
      }
      at += 1;
    }
    depth -= 1;
  };
  const value = () => {
    space();
    const sign = text[at];
    if (sign === '{') {
      const members = new Map();
      list('}', () => {
        space();
        const key = text[at] === '"' ? string() : take(/[A-Za-z_$][\w$]*/y) ?? fail('key expected');
        expect(':');
        members.set(key, value());
      });
      return Object.fromEntries(members);
    }
    if (sign === '[') {
      const items = [];
      list(']', () => items.push(value()));
      return items;
    }
    if (sign === '"') return string();
    const word = take(/!0|!1|true|false|null|void 0/y);
    if (word !== null)
      return word === '!0' || word === 'true' ? true : word === '!1' || word === 'false' ? false : null;
    const number = take(/-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y);
    return number === null ? fail('value expected') : Number(number);
  };
  return value();
}

/** The layers-model of `model.min.js`: `{modelTopology, weightsManifest}`. */
export function read_model(script) {
  const found = /\.exports\s*=\s*(?=\{\s*"?modelTopology"?\s*:)/.exec(script);
  if (found === null) throw new Error('model file: no layers-model found');
  return parse_literal(script, found.index + found[0].length);
}

/** The bytes of one `group1-shardNofM.min.js`. */
export function read_shard(script) {
  const found = /\.exports\s*=\s*"([A-Za-z0-9+/]+={0,2})"/.exec(script);
  if (found === null) throw new Error('weights file: no base64 found');
  return Buffer.from(found[1], 'base64');
}

/**
 * Float32 weights by name. uint8 and uint16 are dequantised in float32, as TensorFlow.js does when it loads
 * them.
 */
export function read_weights(manifest, bytes) {
  const weights = new Map();
  let at = 0;
  for (const entry of manifest.flatMap((group) => group.weights)) {
    const count = entry.shape.reduce((product, side) => product * side, 1);
    const stored = entry.quantization?.dtype ?? entry.dtype;
    const width = {uint8: 1, uint16: 2, float32: 4}[stored];
    if (entry.dtype !== 'float32' || width === undefined || (stored === 'float32') !== !entry.quantization)
      throw new Error(`weight ${entry.name}: type ${stored} for ${entry.dtype} is not supported`);
    if (at + count * width > bytes.length) throw new Error(`weight ${entry.name}: the shards are too short`);
    const read = {
      uint8: (i) => bytes.readUInt8(i),
      uint16: (i) => bytes.readUInt16LE(i),
      float32: (i) => bytes.readFloatLE(i)
    }[stored];
    const data = new Float32Array(count);
    for (let i = 0; i < count; i += 1) {
      const raw = read(at + i * width);
      data[i] = entry.quantization ? raw * entry.quantization.scale + entry.quantization.min : raw;
    }
    weights.set(entry.name, {shape: entry.shape, data});
    at += count * width;
  }
  if (at !== bytes.length)
    throw new Error(`weights: ${bytes.length - at} bytes more than the manifest names`);
  return weights;
}
