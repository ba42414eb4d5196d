/**
 * The list of model families; adding one is its file, a line here, and the fixture that a test demands.
 * Nothing else in the project names a family.
 */
import { HopscopeError } from '../../shared/errors.ts';
import type { ModelFamily, RawConfiguration } from './family.ts';
import { llama } from './llama.ts';

export const families: readonly ModelFamily[] = [llama];

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
