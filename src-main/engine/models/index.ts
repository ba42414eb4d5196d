/**
 * The list of model families; adding one is its file, a line here, and the fixture that a test demands.
 * Nothing else in the project names a family.
 */
import { HopscopeError } from '../../shared/errors.ts';
import type { ModelFamily, RawConfiguration } from './family.ts';
import { gemma2 } from './gemma2.ts';
import { gptNeox } from './gpt-neox.ts';
import { gpt2 } from './gpt2.ts';
import { llama } from './llama.ts';
import { mistral } from './mistral.ts';
import { olmo } from './olmo.ts';
import { olmo2 } from './olmo2.ts';
import { qwen2 } from './qwen2.ts';

export const families: readonly ModelFamily[] = [llama, qwen2, mistral, olmo, olmo2, gemma2, gpt2, gptNeox];

/** The family of a config.json. Errors: `UnsupportedFamily` naming what is supported. */
export function familyOf(raw: RawConfiguration): ModelFamily {
  const family = families.find(({ modelTypes }) => modelTypes.includes(raw.model_type as string));
  if (family) return family;
  const known = families.flatMap(({ modelTypes }) => modelTypes).join(', ');
  throw new HopscopeError(
    'UnsupportedFamily',
    `config.json: model_type ${JSON.stringify(raw.model_type)} is not supported; supported: ${known}.`,
  );
}
