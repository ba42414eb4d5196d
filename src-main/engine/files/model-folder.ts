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
import { writeSafetensors } from './safetensors.ts';
import { writeAll, writeFileWhole, writeFolderWhole } from './write-whole.ts';

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

/** @throws HopscopeError `FolderExists`, `CannotWrite`, `BadSafetensors`, `ModelNotFound`, `OutsideFolder` */
export function writeModelFolder(folder: string, { config, tensors, tokenizerFiles, otherFiles = {} }: ModelFolder): void {
  const copied = isCopy(tokenizerFiles) ? findTokenizerFiles(tokenizerFiles.copyFrom) : [];
  const texts = {
    ...(isCopy(tokenizerFiles) ? {} : tokenizerFiles),
    ...otherFiles,
    'config.json': `${JSON.stringify(config, null, 2)}\n`,
  };
  for (const name of Object.keys(texts)) {
    const problem = fileNameProblem(name);
    if (problem !== undefined)
      throw new HopscopeError('OutsideFolder', `The file name ${JSON.stringify(name)} is refused: ${problem}.`, 'failure');
  }
  writeFolderWhole(folder, (temporary) => {
    for (const [name, path] of copied) copyWhole(path, join(temporary, name));
    for (const [name, text] of Object.entries(texts)) {
      writeFileWhole(join(temporary, name), (descriptor) => writeAll(descriptor, new TextEncoder().encode(text)));
    }
    writeSafetensors(join(temporary, 'model.safetensors'), tensors, { format: 'pt' });
  });
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
