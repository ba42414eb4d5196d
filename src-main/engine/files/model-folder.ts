/**
 * Writes a model folder in the Hugging Face layout, whole or not at all.
 * Reading one is checkpoint.ts; what belongs into config.json is the model family's business.
 */
import { closeSync, copyFileSync, fsyncSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { HopscopeError } from '../../shared/errors.ts';
import type { Tensor } from '../tensor.ts';
import { modelFolder } from './checkpoint.ts';
import { fileNameProblem, pathInside } from './inside-folder.ts';
import { type TensorEntry, writeSafetensors, writeSafetensorsStreamed } from './safetensors.ts';
import { tensorBytes } from './safetensors-header.ts';
import { writeAll, writeFileWhole, writeFolderWhole, writeFolderWholeAsync } from './write-whole.ts';

/** The files that make up a tokenizer, as far as a folder has them. */
const tokenizerFileNames = ['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'generation_config.json'];

export interface ModelFolder {
  /** Becomes config.json. */
  config: object;
  tensors: ReadonlyMap<string, Tensor>;
  /** Either the text of files by name, or an existing model folder to copy the tokenizer from. */
  tokenizerFiles: Record<string, string> | { copyFrom: string };
  /** More text files by name, such as a record of how the model was made. */
  otherFiles?: Record<string, string>;
}

/** A model folder whose tensors' bytes come one tensor after the other. */
export interface StreamedModelFolder<E extends TensorEntry> extends Omit<ModelFolder, 'tensors'> {
  /** In the order in which they are spread over files. */
  entries: readonly E[];
  /** As for `writeSafetensorsStreamed`. */
  produce(entry: E, write: (bytes: Uint8Array) => void): void | Promise<void>;
  /** Most bytes of tensors in one file; a larger tensor has a file of its own. */
  largestFile?: number;
}

/** What the hub's own tools take, 5 GB. */
const defaultLargestFile = 5e9;

/** @throws HopscopeError `FolderExists`, `CannotWrite`, `BadSafetensors`, `ModelNotFound`, `OutsideFolder` */
export function writeModelFolder(folder: string, { tensors, ...rest }: ModelFolder): void {
  const { copied, texts } = smallFiles(rest);
  writeFolderWhole(folder, (temporary) => {
    writeSmallFiles(temporary, copied, texts);
    writeSafetensors(join(temporary, singleName), tensors, metadata);
  });
}

/**
 * The same in little memory: one file, or as many as `largestFile` asks for with their index, under the hub's names.
 * Errors: those of `writeModelFolder`; whatever `produce` throws.
 */
export async function writeModelFolderStreamed<E extends TensorEntry>(
  folder: string,
  { entries, produce, largestFile = defaultLargestFile, ...rest }: StreamedModelFolder<E>,
): Promise<void> {
  const { copied, texts } = smallFiles(rest);
  const files = spreadOverFiles(entries, largestFile);
  if (files.size > 1) texts[`${singleName}.index.json`] = `${JSON.stringify(indexOf(files), null, 2)}\n`;
  await writeFolderWholeAsync(folder, async (temporary) => {
    writeSmallFiles(temporary, copied, texts);
    for (const [name, ofFile] of files) await writeSafetensorsStreamed(join(temporary, name), ofFile, metadata, produce);
  });
}

const singleName = 'model.safetensors';
const metadata = { format: 'pt' };

/** File names with their tensors: each file takes entries until the next one would not fit. */
function spreadOverFiles<E extends TensorEntry>(entries: readonly E[], largestFile: number): Map<string, E[]> {
  const files: E[][] = [];
  let room = 0;
  for (const entry of entries) {
    const size = tensorBytes(entry.type, entry.shape);
    if (files.length === 0 || size > room) {
      files.push([]);
      room = largestFile;
    }
    files.at(-1)!.push(entry);
    room -= size;
  }
  const padded = (number: number) => String(number).padStart(5, '0');
  const name = (index: number) => `model-${padded(index + 1)}-of-${padded(files.length)}.safetensors`;
  return new Map(files.length > 1 ? files.map((file, index) => [name(index), file]) : [[singleName, [...entries]]]);
}

function indexOf(files: ReadonlyMap<string, readonly TensorEntry[]>): object {
  const all = [...files].flatMap(([file, entries]) => entries.map((entry) => ({ file, ...entry })));
  return {
    metadata: { total_size: all.reduce((sum, { type, shape }) => sum + tensorBytes(type, shape), 0) },
    weight_map: Object.fromEntries(all.map(({ name, file }) => [name, file])),
  };
}

/** What a folder holds beside its tensors: files to copy, by name, and the texts of others. Errors: `OutsideFolder`, `ModelNotFound`. */
function smallFiles({ config, tokenizerFiles, otherFiles = {} }: Omit<ModelFolder, 'tensors'>): {
  copied: [string, string][];
  texts: Record<string, string>;
} {
  const copied = isCopy(tokenizerFiles) ? findTokenizerFiles(tokenizerFiles.copyFrom) : [];
  const texts = {
    ...(isCopy(tokenizerFiles) ? {} : tokenizerFiles),
    ...otherFiles,
    'config.json': configText(config),
  };
  for (const name of Object.keys(texts)) {
    const problem = fileNameProblem(name);
    if (problem !== undefined)
      throw new HopscopeError('OutsideFolder', `The file name ${JSON.stringify(name)} is refused: ${problem}.`, 'failure');
  }
  return { copied, texts };
}

/** Fields that are published with a decimal point; transformers refuses some of them without. */
const decimalFields =
  'attention_dropout|attn_logit_softcapping|clip_qkv|factor|final_logit_softcapping|high_freq_factor|low_freq_factor|rope_theta';

function configText(config: object): string {
  const withPoint = new RegExp(`("(?:${decimalFields})": -?\\d+)(?=,?\\n)`, 'g');
  return `${JSON.stringify(config, null, 2).replaceAll(withPoint, '$1.0')}\n`;
}

function writeSmallFiles(folder: string, copied: readonly [string, string][], texts: Readonly<Record<string, string>>): void {
  for (const [name, path] of copied) copyWhole(path, join(folder, name));
  for (const [name, text] of Object.entries(texts)) {
    writeFileWhole(join(folder, name), (descriptor) => writeAll(descriptor, new TextEncoder().encode(text)));
  }
}

function isCopy(files: ModelFolder['tokenizerFiles']): files is { copyFrom: string } {
  return 'copyFrom' in files && Object.keys(files).length === 1;
}

function findTokenizerFiles(folder: string): [string, string][] {
  const root = modelFolder(folder);
  return tokenizerFileNames.flatMap((name) => {
    const path = pathInside(root, name);
    return path === undefined ? [] : [[name, path]];
  });
}

function copyWhole(from: string, to: string): void {
  copyFileSync(from, to);
  const descriptor = openSync(to, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
