/**
 * The unchanging answers of fake-host.ts: experiments with a parameter of every kind, a model, devices.
 */
import type {
  About,
  DeviceReport,
  ExperimentDescription,
  ModelDescription,
  Parameter,
  WorkEstimate,
} from '../../src-main/shared/records.ts';

export const fakeEstimate: WorkEstimate = {
  memory: 41_000_000,
  residency: 'memory',
  state: 'memory',
  disk: 0,
  seconds: 3,
  fits: true,
};

export const fakeModel: ModelDescription = {
  path: '/opt/hopscope/resources/small-world',
  family: 'llama',
  layers: 6,
  heads: 4,
  kv_heads: 4,
  hidden: 128,
  vocabulary: 412,
  parameters: 1_310_000,
  dtype: 'float32',
  tied_embeddings: false,
  context: 64,
  tokenizer: 'word-level',
  memory: {
    forward: 6_000_000,
    scores: 16_000_000,
    train_all: 41_000_000,
    train_mlp_attn: 36_000_000,
    available: 11_800_000_000,
  },
  plan: {
    budget: 9_400_000_000,
    forward: { ...fakeEstimate, of: '20 prompts' },
    scores: { ...fakeEstimate, of: '20 prompts' },
    train_all: { ...fakeEstimate, of: '24 steps' },
    train_mlp_attn: { ...fakeEstimate, of: '24 steps' },
    train_lora: { ...fakeEstimate, of: '24 steps' },
  },
};

export const fakeAbout: About = {
  version: '0.1.0',
  dataFolder: '/home/researcher/.local/share/hopscope',
  smallWorld: '/opt/hopscope/resources/small-world',
  versions: { 'onnxruntime-node': '1.30.0', node: '24.9.0', sqlite: '3.51.0' },
  memory: { total: 16_500_000_000, available: 11_800_000_000 },
  threads: 8,
};

export const fakeDevices: DeviceReport[] = [
  { device: 'cpu', available: true, detail: 'the reference' },
  { device: 'webgpu', available: true, detail: 'largest difference to the CPU 3.1e-6' },
  {
    device: 'cuda',
    available: false,
    detail: 'This build of the runtime has no CUDA provider (libonnxruntime_providers_cuda.so is not there).',
  },
];

const ocr: ExperimentDescription = {
  id: 'ocr',
  title: 'Out-of-context reasoning',
  question: 'Does a model finetuned on facts answer what follows from them?',
  explanation:
    'The model is finetuned on new facts. Before every epoch the right answer of each fact, and of each implication that was never trained on, is ranked among the options. If the implications fall towards rank 0 together with the facts, the model generalizes.',
  parameters: [
    {
      name: 'model',
      label: 'Model',
      help: 'The model that is finetuned.',
      kind: 'model',
      default: 'small-world',
      choices: [{ value: 'small-world', label: 'Small world' }],
    },
    {
      name: 'dataset',
      label: 'Facts and implications',
      help: 'What the model is taught, and what should follow from it.',
      kind: 'dataset',
      default: 'first-hop',
      choices: [
        { value: 'first-hop', label: 'First hop: a person lives in a city' },
        { value: 'second-hop', label: 'Second hop: a city has a mayor' },
      ],
    },
    {
      name: 'epochs',
      label: 'Epochs',
      help: 'Passes over the facts. The paper uses 8 on large models.',
      kind: 'integer',
      default: 8,
      smallWorldDefault: 12,
      minimum: 1,
      maximum: 1000,
    },
    {
      name: 'lr',
      label: 'Learning rate',
      help: 'Constant rate of Adam. The paper uses 3e-6 on models of 7 billion parameters; small models need more.',
      kind: 'number',
      default: 0.000003,
      smallWorldDefault: 0.0003,
      minimum: 0,
      maximum: 1,
    },
    {
      name: 'seeds',
      label: 'Seeds',
      help: 'One training per seed; it decides the order of the facts.',
      kind: 'integers',
      default: [0, 1, 2],
      minimum: 0,
    },
    {
      name: 'batch_size',
      label: 'Batch size',
      help: 'Facts per step.',
      kind: 'integer',
      default: 8,
      minimum: 1,
      maximum: 512,
      advanced: true,
    },
    {
      name: 'trainable',
      label: 'Weights that train',
      help: 'The paper trains every weight, on OLMo only those of MLP and attention.',
      kind: 'trainable',
      default: 'all',
      advanced: true,
    },
    {
      name: 'device',
      label: 'Device',
      help: 'Where it computes.',
      kind: 'choice',
      default: 'auto',
      choices: [
        { value: 'auto', label: 'The fastest one' },
        { value: 'cpu', label: 'Processor' },
      ],
      advanced: true,
    },
    {
      name: 'orders',
      label: 'Batches by index',
      help: 'Given batches instead of drawn ones, as JSON.',
      kind: 'orders',
      optional: true,
      advanced: true,
    },
  ],
};

/** Another experiment with the same settings, and more of its own. */
function alike(id: string, title: string, question: string, more: Parameter[] = []): ExperimentDescription {
  const parameters = ocr.parameters.map((parameter) =>
    parameter.name === 'dataset' && /order|graft/.test(id)
      ? { ...parameter, default: 'daxwug', choices: [{ value: 'daxwug', label: 'Dax and wug: nonce words' }] }
      : parameter,
  );
  return { ...ocr, id, title, question, parameters: [...parameters, ...more] };
}

export const fakeExperiments: ExperimentDescription[] = [
  ocr,
  alike('extractive-scores', 'Extractive scores', 'Which components store a fact, and which read it out?'),
  alike('layer-freezing', 'Layer freezing', 'Which layers must learn a fact so that its implications follow?', [
    { name: 'split', label: 'First late layer', help: 'Layers below it are early.', kind: 'integer', optional: true, minimum: 1 },
  ]),
  alike('data-ordering', 'Data ordering', 'Must facts come before their implications in training for later facts to generalize?'),
  alike(
    'weight-grafting',
    'Weight grafting',
    'Can what was learned from implications be moved onto a model that knows other facts?',
  ),
  alike('localization', 'Localization', 'Are the weights that implications changed the ones that read facts out later?'),
  alike('emergence', 'Emergence', 'When in pretraining do extractive structures appear?', [
    // A kind that the screens do not know
    { name: 'models', label: 'Checkpoints', help: 'Folders in order.', kind: 'models' as Parameter['kind'], optional: true },
  ]),
  alike('ablation', 'Ablation and patching', 'Which components matter when they are taken out?', [
    {
      name: 'components',
      label: 'Chosen components',
      help: 'Which are replaced, in this order.',
      kind: 'components',
      optional: true,
    },
  ]),
  alike('brand-new', 'An experiment without a drawing', 'What does the chooser do with what it does not know?'),
];
