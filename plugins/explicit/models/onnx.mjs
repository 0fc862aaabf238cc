// A writer of ONNX files: the messages of onnx.proto (https://github.com/onnx/onnx, IR version 4) that a
// plain network of float32 tensors needs, in protobuf's wire format. The same graph always gives the same
// bytes.

function varint(value) {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes = [];
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}
const integer = (field, value) => Buffer.concat([varint(field << 3), varint(value)]);
const block = (field, content) => {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(content, 'utf8');
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);
};
const float = (field, value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([varint((field << 3) | 5), bytes]);
};
const message = (...parts) => Buffer.concat(parts.flat());

const kFloat = 1;  // TensorProto.DataType
const kAttribute = {
  float: 1,
  int: 2,
  string: 3,
  ints: 7
};  // AttributeProto.AttributeType

function attribute(name, {type, value}) {
  const content = {
    float: () => float(2, value),
    int: () => integer(3, value),
    string: () => block(4, value),
    ints: () => value.map((each) => integer(8, each)),
  }[type]();
  return message(block(1, name), content, integer(20, kAttribute[type]));
}

function tensor({name, shape, data}) {
  const raw = Buffer.alloc(data.length * 4);
  data.forEach((each, index) => raw.writeFloatLE(each, index * 4));
  return message(shape.map((side) => integer(1, side)), integer(2, kFloat), block(8, name), block(9, raw));
}

function value_info({name, shape}) {
  const dimensions = shape.map((side) => block(1, integer(1, side)));
  return message(
      block(1, name), block(2, block(1, message(integer(1, kFloat), block(2, message(dimensions))))));
}

/**
 * `graph`: {name, nodes: [{type, name, inputs, outputs, attributes: {name: {type, value}}}],
 * tensors: [{name, shape, data}], input: {name, shape}, output: {name, shape}}.
 */
export function write_onnx(graph, {opset, producer, metadata}) {
  const nodes = graph.nodes.map(
      (node) => block(
          1,
          message(
              node.inputs.map((each) => block(1, each)),
              node.outputs.map((each) => block(2, each)),
              block(3, node.name),
              block(4, node.type),
              Object.entries(node.attributes).map(([name, value]) => block(5, attribute(name, value))),
              )));
  const body = message(
      nodes,
      block(2, graph.name),
      graph.tensors.map((each) => block(5, tensor(each))),
      block(11, value_info(graph.input)),
      block(12, value_info(graph.output)),
  );
  return message(
      integer(1, 4),
      block(2, producer),
      block(7, body),
      block(8, message(block(1, ''), integer(2, opset))),
      Object.entries(metadata).map(([key, value]) => block(14, message(block(1, key), block(2, value)))),
  );
}
