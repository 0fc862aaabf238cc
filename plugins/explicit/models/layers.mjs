// From a Keras layers-model (channels last) to a graph for write_onnx() (channels first). Knows the layers
// that the models here are made of and refuses all others: a layer left out in silence would give plausible
// wrong scores.

/**
 * Opset 9: OpenCV 4.6 wants the bounds of Clip as attributes, which later opsets (from 11) no longer have.
 */
export const kOpset = 9;

class Builder {
  constructor(weights) {
    this.weights = weights;
    this.nodes = [];
    this.tensors = [];
    this.values = new Map();  // layer → {name, shape (without the batch), padding, convolution}
  }

  weight(name, shape) {
    const found = this.weights.get(name);
    if (!found) throw new Error(`weight ${name} is missing`);
    if (shape && found.shape.join() !== shape.join())
      throw new Error(`weight ${name}: shape ${found.shape}, not ${shape}`);
    return found;
  }
  node(type, name, inputs, attributes = {}) {
    this.nodes.push({type, name, inputs, outputs: [name], attributes});
    return name;
  }
  tensor(name, shape, data) {
    this.tensors.push({name, shape, data});
    return name;
  }
  activation(layer, name, kind) {
    if (kind === undefined || kind === 'linear') return name;
    if (kind === 'relu') return this.node('Relu', `${layer}_relu`, [name]);
    if (kind === 'softmax')
      return this.node('Softmax', `${layer}_softmax`, [name], {axis: {type: 'int', value: 1}});
    throw new Error(`layer ${layer}: activation ${kind} is not supported`);
  }
}

const zero_padding = {
  before: [0, 0],
  after: [0, 0]
};

/** Side and pads of a window that slides over `size` pixels, one axis; `same` as TensorFlow defines it. */
function slide(size, kernel, stride, padding, before, after) {
  if (padding === 'same') {
    const side = Math.ceil(size / stride);
    const total = Math.max((side - 1) * stride + kernel - size, 0);
    return {side, before: Math.floor(total / 2), after: total - Math.floor(total / 2)};
  }
  return {side: Math.floor((size + before + after - kernel) / stride) + 1, before, after};
}

/** Output sides and the padding attribute of a convolution or pooling. */
function window_of(layer, input, kernel, strides, padding) {
  const explicit = input.padding ?? zero_padding;
  if (padding === 'same' && input.padding)
    throw new Error(`layer ${layer}: "same" after ZeroPadding2D is not supported`);
  const axes = [0, 1].map(
      (axis) => slide(
          input.shape[axis + 1], kernel[axis], strides[axis], padding, explicit.before[axis],
          explicit.after[axis]));
  const sides = axes.map((axis) => axis.side);
  if (axes.every((axis) => axis.before === axis.after)) {
    const pads = [...axes.map((axis) => axis.before), ...axes.map((axis) => axis.after)];
    return {sides, attribute: {pads: {type: 'ints', value: pads}}};
  }
  // Uneven pads are only portable as SAME_UPPER (OpenCV refuses them as numbers), so they must be just that.
  const same = [0, 1].map((axis) => slide(input.shape[axis + 1], kernel[axis], strides[axis], 'same'));
  if (!axes.every((axis, i) => axis.before === same[i].before && axis.after === same[i].after))
    throw new Error(`layer ${layer}: uneven padding that is not "same" is not supported`);
  return {sides, attribute: {auto_pad: {type: 'string', value: 'SAME_UPPER'}}};
}

function convolution(builder, {name, config}, input, depthwise) {
  if (config.data_format !== 'channels_last' || config.dilation_rate?.some((rate) => rate !== 1))
    throw new Error(`layer ${name}: data format or dilation is not supported`);
  const [height, width] = config.kernel_size;
  const channels = input.shape[0];
  const multiplier = depthwise ? (config.depth_multiplier ?? 1) : config.filters;
  const kernel =
      builder
          .weight(
              `${name}/${depthwise ? 'depthwise_kernel' : 'kernel'}`, [height, width, channels, multiplier])
          .data;
  const outputs = depthwise ? channels * multiplier : multiplier;
  const depth = depthwise ? 1 : channels;
  const data = new Float64Array(outputs * depth * height * width);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1)
      for (let c = 0; c < channels; c += 1)
        for (let f = 0; f < multiplier; f += 1) {
          const out = depthwise ? c * multiplier + f : f;
          data[((out * depth + (depthwise ? 0 : c)) * height + y) * width + x] =
              kernel[((y * width + x) * channels + c) * multiplier + f];
        }
  const bias = new Float64Array(outputs);
  if (config.use_bias) bias.set(builder.weight(`${name}/bias`, [outputs]).data);
  const {sides, attribute} = window_of(name, input, config.kernel_size, config.strides, config.padding);
  const kernel_tensor = {name: `${name}/kernel`, shape: [outputs, depth, height, width], data};
  const bias_tensor = {name: `${name}/bias`, shape: [outputs], data: bias};
  builder.tensors.push(kernel_tensor, bias_tensor);
  builder.node('Conv', name, [input.name, kernel_tensor.name, bias_tensor.name], {
    kernel_shape: {type: 'ints', value: config.kernel_size},
    strides: {type: 'ints', value: config.strides},
    group: {type: 'int', value: depthwise ? channels : 1},
    ...attribute,
  });
  const linear = config.activation === undefined || config.activation === 'linear';
  return {
    name: builder.activation(name, name, config.activation),
    shape: [outputs, ...sides],
    convolution: linear ? {layer: name, kernel: kernel_tensor, bias: bias_tensor} : undefined,
  };
}

/** Folds the normalisation into the convolution before it: one node and one rounding to float32 fewer. */
function batch_normalisation(builder, {name, config}, input, uses) {
  const target = input.convolution;
  if (!target || uses.get(target.layer) !== 1)
    throw new Error(`layer ${name}: does not follow a convolution of its own`);
  const channels = input.shape[0];
  const part = (key, used, otherwise) => used === false ? new Float32Array(channels).fill(otherwise) :
                                                          builder.weight(`${name}/${key}`, [channels]).data;
  const gamma = part('gamma', config.scale, 1);
  const beta = part('beta', config.center, 0);
  const mean = part('moving_mean', true);
  const variance = part('moving_variance', true);
  const each = target.kernel.data.length / channels;
  for (let c = 0; c < channels; c += 1) {
    const factor = gamma[c] / Math.sqrt(variance[c] + config.epsilon);
    for (let i = c * each; i < (c + 1) * each; i += 1) target.kernel.data[i] *= factor;
    target.bias.data[c] = (target.bias.data[c] - mean[c]) * factor + beta[c];
  }
  return {name: input.name, shape: input.shape};
}

function dense(builder, {name, config}, input) {
  if (input.shape.length !== 1) throw new Error(`layer ${name}: its input is not flat`);
  const [size] = input.shape;
  const kernel = builder.weight(`${name}/kernel`, [size, config.units]).data;
  // Transposed, and said so: OpenCV 4.6 takes a Gemm without transB for one with it.
  const data = new Float32Array(kernel.length);
  for (let i = 0; i < size; i += 1)
    for (let unit = 0; unit < config.units; unit += 1)
      data[unit * size + i] = kernel[i * config.units + unit];
  const bias =
      config.use_bias ? builder.weight(`${name}/bias`, [config.units]).data : new Float32Array(config.units);
  const inputs = [
    input.name,
    builder.tensor(`${name}/kernel`, [config.units, size], data),
    builder.tensor(`${name}/bias`, [config.units], bias),
  ];
  builder.node('Gemm', name, inputs, {transB: {type: 'int', value: 1}});
  return {name: builder.activation(name, name, config.activation), shape: [config.units]};
}

function relu(builder, {name, config}, input) {
  if (config.negative_slope || config.threshold)
    throw new Error(`layer ${name}: leaky or shifted ReLU is not supported`);
  const bounded = config.max_value !== null && config.max_value !== undefined;
  const attributes =
      bounded ? {min: {type: 'float', value: 0}, max: {type: 'float', value: config.max_value}} : {};
  return {name: builder.node(bounded ? 'Clip' : 'Relu', name, [input.name], attributes), shape: input.shape};
}

function pooling(builder, {name, config}, input) {
  const {sides, attribute} = window_of(name, input, config.pool_size, config.strides, config.padding);
  // Keras leaves padding out of the average, ONNX counts it or not by an option: without any the question is
  // void.
  if (attribute.auto_pad || attribute.pads.value.some((pad) => pad !== 0))
    throw new Error(`layer ${name}: padded pooling is not supported`);
  builder.node('AveragePool', name, [input.name], {
    kernel_shape: {type: 'ints', value: config.pool_size},
    strides: {type: 'ints', value: config.strides},
  });
  return {name, shape: [input.shape[0], ...sides]};
}

function flatten(builder, {name}, input) {
  const [channels, height, width] = input.shape;
  // Channels first and last agree on the order only where nothing but channels is left.
  if (height !== 1 || width !== 1)
    throw new Error(`layer ${name}: flattening more than one pixel is not supported`);
  return {
    name: builder.node('Flatten', name, [input.name], {axis: {type: 'int', value: 1}}),
    shape: [channels]
  };
}

function add(builder, {name}, inputs) {
  const [first] = inputs;
  if (inputs.length !== 2 || inputs.some((each) => each.shape.join() !== first.shape.join()))
    throw new Error(`layer ${name}: only two inputs of equal shape can be added`);
  return {name: builder.node('Add', name, inputs.map((each) => each.name)), shape: first.shape};
}

function convert_layer(builder, layer, inputs, uses) {
  const [input] = inputs;
  switch (layer.class_name) {
    case 'InputLayer': {
      const [, height, width, channels] = layer.config.batch_input_shape;
      return {name: layer.name, shape: [channels, height, width]};
    }
    case 'ZeroPadding2D': {
      const [[top, bottom], [left, right]] = layer.config.padding;
      return {...input, padding: {before: [top, left], after: [bottom, right]}, convolution: undefined};
    }
    case 'Conv2D':
      return convolution(builder, layer, input, false);
    case 'DepthwiseConv2D':
      return convolution(builder, layer, input, true);
    case 'BatchNormalization':
      return batch_normalisation(builder, layer, input, uses);
    case 'ReLU':
      return relu(builder, layer, input);
    case 'Add':
      return add(builder, layer, inputs);
    case 'AveragePooling2D':
      return pooling(builder, layer, input);
    case 'Flatten':
      return flatten(builder, layer, input);
    case 'Dropout':
      return {name: input.name, shape: input.shape};
    case 'Dense':
      return dense(builder, layer, input);
    default:
      throw new Error(`layer ${layer.name}: ${layer.class_name} is not supported`);
  }
}

/** The graph of a model with one input and one output. `weights` as read_weights() gives them. */
export function layers_to_graph(topology, weights, graph_name) {
  const {class_name, config} = topology.model_config;
  if (class_name !== 'Model' || config.input_layers.length !== 1 || config.output_layers.length !== 1)
    throw new Error('only a functional model with one input and one output is supported');
  const builder = new Builder(weights);
  const sources = new Map(
      config.layers.map((layer) => [layer.name, (layer.inbound_nodes[0] ?? []).map(([from]) => from)]));
  const uses = new Map();
  for (const each of [...sources.values()].flat()) uses.set(each, (uses.get(each) ?? 0) + 1);
  for (const layer of config.layers) {
    const inputs = sources.get(layer.name).map((from) => {
      const value = builder.values.get(from);
      if (!value) throw new Error(`layer ${layer.name}: its input ${from} does not come before it`);
      if (value.padding && !/Conv2D$/.test(layer.class_name))
        throw new Error(`layer ${layer.name}: ZeroPadding2D before ${layer.class_name} is not supported`);
      return value;
    });
    builder.values.set(layer.name, convert_layer(builder, layer, inputs, uses));
  }
  const input = builder.values.get(config.input_layers[0][0]);
  const output = builder.values.get(config.output_layers[0][0]);
  return {
    name: graph_name,
    nodes: builder.nodes,
    tensors: builder.tensors,
    input: {name: input.name, shape: [1, ...input.shape]},
    output: {name: output.name, shape: [1, ...output.shape]},
  };
}
