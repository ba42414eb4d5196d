/**
 * A JSON value as YAML that people read and the command line accepts: what the wizard shows is what `run SPEC.yaml` takes.
 * It only writes, and only the subset JSON needs.
 */
import type { Json } from '../../src-main/shared/records.ts';

/** Lists of scalars and short pairs stay on one line up to this width. */
const lineWidth = 100;

/** YAML text of an object, one key per line, with a final newline. Undefined values are left out. */
export function toYaml(value: { [key: string]: Json | undefined }): string {
  return `${mapping(value, 0).join('\n')}\n`;
}

function mapping(value: { [key: string]: Json | undefined }, indent: number): string[] {
  const pad = ' '.repeat(indent);
  const lines: string[] = [];
  for (const [key, entry] of Object.entries(value)) {
    if (entry === undefined) continue;
    const inline = flow(entry);
    if (isScalar(entry) || isEmpty(entry) || inline.length + indent + key.length + 2 <= lineWidth) {
      lines.push(`${pad}${scalar(key)}: ${inline}`);
    } else {
      lines.push(`${pad}${scalar(key)}:`, ...block(entry, indent + 2));
    }
  }
  return lines;
}

function block(value: Json, indent: number): string[] {
  if (!Array.isArray(value)) return mapping(value as { [key: string]: Json }, indent);
  const pad = ' '.repeat(indent);
  return value.flatMap((entry) => {
    const inline = flow(entry);
    if (isScalar(entry) || isEmpty(entry) || inline.length + indent + 2 <= lineWidth) return [`${pad}- ${inline}`];
    const [first = '', ...rest] = block(entry, indent + 2);
    return [`${pad}- ${first.trimStart()}`, ...rest];
  });
}

function flow(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (value !== null && typeof value === 'object') {
    return `{${Object.entries(value)
      .map(([key, entry]) => `${scalar(key)}: ${flow(entry)}`)
      .join(', ')}}`;
  }
  return scalar(value);
}

function scalar(value: null | boolean | number | string): string {
  if (typeof value === 'number') return String(value).replace(/^(-?\d+)e/, '$1.0e'); // YAML 1.1 wants a point before an exponent
  if (typeof value !== 'string') return String(value);
  return isPlain(value) ? value : JSON.stringify(value);
}

/** Words and paths may stand bare unless YAML would read them as something else. */
function isPlain(text: string): boolean {
  if (!/^[A-Za-z_./][A-Za-z0-9_./-]*$/.test(text)) return false;
  return !/^(true|false|null|yes|no|on|off|y|n|\.inf|\.nan|\.\d.*|\.)$/i.test(text);
}

function isScalar(value: Json): value is null | boolean | number | string {
  return value === null || typeof value !== 'object';
}

function isEmpty(value: Json): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
