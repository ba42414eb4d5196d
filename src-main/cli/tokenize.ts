/**
 * `hopscope tokenize`: texts to token ids by a folder's tokenizer.json, special tokens included. It needs no weights.
 */
import { Tokenizer } from '../engine/files/tokenizer.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { Command } from './command.ts';
import { readJsonFile, requireWritableFile, writeJsonFile } from './files.ts';

export const tokenize: Command = {
  name: 'tokenize',
  summary: 'turn texts into token ids',
  options: [
    { name: 'model', value: 'FOLDER', help: 'a folder with tokenizer.json', required: true },
    { name: 'in', value: 'FILE', help: 'a JSON list of texts', required: true },
    { name: 'out', value: 'FILE', help: 'the JSON list of id lists to write', required: true },
  ],

  async run(given, { print, signal }) {
    const [input, out] = [given.text('in'), given.text('out')];
    requireWritableFile(out);
    const tokenizer = Tokenizer.open(given.text('model'));
    const texts = readJsonFile(input);
    if (!Array.isArray(texts)) throw new HopscopeError('BadTexts', `${input}: a JSON list of texts is expected.`);
    const ids = texts.map((text, index) => {
      if (typeof text === 'string') return tokenizer.encode(text);
      throw new HopscopeError('BadTexts', `${input}: item ${index} is not a text.`);
    });
    signal.throwIfAborted();
    writeJsonFile(out, ids);
    const tokens = ids.reduce((sum, list) => sum + list.length, 0);
    print({ texts: ids.length, tokens, out }, `${ids.length} texts, ${tokens} tokens: ${out}`);
  },
};
