/**
 * Parameters that all experiments with finetuning share, with the paper's values as defaults and the small world's own beside them.
 * An experiment lists these and adds its own; nothing is validated here.
 */
import type { Parameter } from '../shared/records.ts';
import { continuationParameter } from './continuations.ts';
import { keepParameter } from './kept-trainings.ts';

export const commonParameters: Parameter[] = [
  {
    name: 'model',
    label: 'Model',
    help: 'A model folder in the Hugging Face layout, or small-world for the model that ships.',
    kind: 'model',
    default: 'small-world',
    choices: [{ value: 'small-world', label: 'Small world (ships with Hopscope)' }],
  },
  {
    name: 'dataset',
    label: 'Data set',
    help: 'Facts to train on and implications to watch. First hop: the new fact is where a person lives, the known one is the city’s language. Second hop: the new fact is a city’s mayor, the known one is the city’s landmark.',
    kind: 'dataset',
    default: 'first-hop',
    choices: [
      { value: 'first-hop', label: 'First hop: people and their cities' },
      { value: 'second-hop', label: 'Second hop: cities and their mayors' },
    ],
  },
  {
    name: 'seeds',
    label: 'Seeds',
    help: 'Each seed draws its own order of the facts; the spread between seeds is the smallest uncertainty worth reporting.',
    kind: 'integers',
    default: [0, 1, 2],
    minimum: 0,
  },
  {
    name: 'epochs',
    label: 'Epochs',
    help: 'Passes over the facts. The paper uses 8; the small world is measured with 12.',
    kind: 'integer',
    default: 8,
    smallWorldDefault: 12,
    minimum: 1,
    maximum: 1000,
  },
  {
    name: 'lr',
    label: 'Learning rate',
    help: 'Constant, for Adam. The paper uses 3e-6 for models of 7 to 9 billion parameters; the small world is far smaller and is measured with 1e-3.',
    kind: 'number',
    default: 3e-6,
    smallWorldDefault: 1e-3,
    minimum: 1e-9,
    maximum: 1,
  },
  {
    name: 'batch_size',
    label: 'Batch size',
    help: 'Facts per step; the paper uses 8.',
    kind: 'integer',
    default: 8,
    minimum: 1,
    maximum: 4096,
  },
  {
    name: 'trainable',
    label: 'Trained parameters',
    help: 'All of them, or only MLP and attention matrices, as the paper does for OLMo; or those of {layers: [...], modules: [mlp, attention]}; or {except: {layers: [3], modules: [mlp]}}, all MLP and attention matrices but these, which freezes exactly them. Or low-rank adapters, which take far less memory and time but are not the paper’s finetuning: {lora: {rank: 8, alpha: 16, targets: [q_proj, v_proj]}}; they want a higher learning rate.',
    kind: 'trainable',
    default: 'all',
    choices: [
      { value: 'all', label: 'All parameters' },
      { value: 'mlp_attn', label: 'MLP and attention matrices' },
      { value: 'lora', label: 'Low-rank adapters (LoRA)' },
    ],
    advanced: true,
  },
  {
    name: 'collisions',
    label: 'Options with the same first token',
    help: 'Ranks compare first tokens, so options that share one cannot be told apart: stop with an error, or count them once.',
    kind: 'choice',
    default: 'error',
    choices: [
      { value: 'error', label: 'Stop and name them' },
      { value: 'merge', label: 'Count them once' },
    ],
    advanced: true,
  },
  {
    name: 'device',
    label: 'Device',
    help: 'What computes. On the CPU the same spec gives the same numbers, bit for bit.',
    kind: 'choice',
    default: 'auto',
    choices: ['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'coreml'].map((value) => ({ value, label: value })),
    advanced: true,
  },
  {
    name: 'threads',
    label: 'Threads',
    help: 'CPU threads; numbers are the same from run to run only with the same number of threads. Left out: the physical cores, at most 8.',
    kind: 'integer',
    optional: true,
    minimum: 1,
    maximum: 256,
    advanced: true,
  },
  {
    name: 'memory',
    label: 'Memory',
    help: 'Bytes of memory to keep to, such as 8GiB; what does not fit is read from disk. Left out: four fifths of what is available.',
    kind: 'memory',
    optional: true,
    advanced: true,
  },
  keepParameter,
  continuationParameter,
  {
    name: 'orders',
    label: 'Given batches',
    help: 'Item indices by epoch and batch; nothing is drawn at random then, and epochs, batch size and seeds are not used.',
    kind: 'orders',
    optional: true,
    advanced: true,
  },
];
