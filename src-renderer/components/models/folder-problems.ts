/**
 * Why a model's folder cannot be used, as a headline for each named error, and what to do about it. What exactly is wrong is in the
 * error's message; nothing is looked at here.
 */
import type { ErrorRecord } from '../../../src-main/shared/errors.ts';

const headlines: { [code: string]: string } = {
  ModelNotFound: 'The folder is not there now',
  FolderNotFound: 'The folder is not there now',
  ConfigMissing: 'There is no config.json',
  BadConfig: 'The config.json cannot be read',
  BadJson: 'A JSON file of the folder is damaged',
  BadConfiguration: 'The config.json does not describe a model that can be computed',
  UnsupportedFamily: 'Models of this architecture are not supported',
  UnsupportedRotary: 'Its position encoding is not supported',
  UnsupportedDtype: 'Its numbers are of a kind that is not read, such as quantized ones',
  WeightsMissing: 'There are no weights',
  ShardMissing: 'A file of the weights is missing',
  BadIndex: 'The list of weight files is damaged',
  BadSafetensors: 'A file of the weights is damaged or unfinished',
  DuplicateTensor: 'A tensor is in two files',
  MissingTensor: 'A tensor is missing',
  ExtraTensor: 'There is a tensor that config.json does not call for',
  WrongShape: 'A tensor has another shape than config.json says',
  TiedContradiction: 'Input and output matrix contradict the config.json',
  TokenizerMissing: 'There is no tokenizer.json',
  BadTokenizer: 'The tokenizer.json is damaged',
  UnsupportedTokenizer: 'Its tokenizer is of a kind that is not supported',
  UnsupportedRegex: 'Its tokenizer splits text in a way that is not supported',
  TokenizerDoesNotFit: 'The tokenizer belongs to another model',
  OutsideFolder: 'A file leads out of the folder',
  CannotRead: 'A file may not be read',
};

export const folderProblem = (code: string): string => headlines[code] ?? 'The folder cannot be used';

/** Whether the folder is merely not there, as when its disk is not connected. */
export const isAway = (code: string): boolean => code === 'ModelNotFound' || code === 'FolderNotFound';

/** What is wrong and what to do. A folder that is away may come back by itself, so its place in the project is kept. */
export function folderAdvice({ code, message }: ErrorRecord): string {
  if (!isAway(code)) return message;
  return 'It keeps its place in the project and is looked for again whenever you return to this window. Is it on a disk that is not connected? If it was moved, locate it: its runs stay with it.';
}
