/**
 * Reads delimited text strictly as RFC 4180 says, with the line on which each record begins: what is broken is named, not guessed.
 * text/csv.ts writes it.
 */

/** One record; `line` counts from 1 and is that of its first character. */
export interface CsvRecord {
  line: number;
  fields: string[];
}

export interface CsvProblem {
  line: number;
  code: 'BrokenQuote';
  message: string;
}

export interface CsvText {
  records: CsvRecord[];
  /** Where reading had to stop; null: the text was read whole. */
  problem: CsvProblem | null;
}

export const delimiters = [',', ';', '\t', '|'] as const;
export type Delimiter = (typeof delimiters)[number];

/**
 * The records of a text; empty lines are none. Reading stops at the first broken quote: what follows it cannot be told apart.
 * `most`: records after which it may stop.
 */
export function parseCsv(text: string, delimiter: string, most = Number.POSITIVE_INFINITY): CsvText {
  const records: CsvRecord[] = [];
  let position = 0;
  let line = 1;
  while (position < text.length && records.length < most) {
    const record: CsvRecord = { line, fields: [] };
    for (;;) {
      const isQuoted = text[position] === '"';
      let end: number;
      if (isQuoted) {
        const opening = line;
        const field = quotedField(text, position);
        if (field === null) {
          const message = `The quote that opens here is never closed; double a quote inside a quoted cell.`;
          return { records, problem: { line: opening, code: 'BrokenQuote', message } };
        }
        record.fields.push(field.value);
        line += lineEnds(text, position, field.end);
        end = field.end;
        if (end < text.length && text[end] !== delimiter && text[end] !== '\n' && text[end] !== '\r') {
          const message = `After a closing quote comes ${JSON.stringify(text[end])}, not the end of the cell; double a quote inside a quoted cell.`;
          return { records, problem: { line, code: 'BrokenQuote', message } };
        }
      } else {
        end = position;
        while (end < text.length && text[end] !== delimiter && text[end] !== '\n' && text[end] !== '\r' && text[end] !== '"')
          end++;
        if (text[end] === '"') {
          const message = `A quote stands inside the unquoted cell that begins with ${JSON.stringify(text.slice(position, Math.min(end, position + 30)))}; put the cell in quotes and double it.`;
          return { records, problem: { line, code: 'BrokenQuote', message } };
        }
        record.fields.push(text.slice(position, end));
      }
      const atDelimiter = text[end] === delimiter;
      position = end + 1;
      if (atDelimiter) {
        if (position < text.length) continue;
        record.fields.push('');
      } else {
        if (text[end] === '\r' && text[position] === '\n') position++;
        line++;
      }
      const isEmptyLine = record.fields.length === 1 && record.fields[0] === '' && !isQuoted;
      if (!isEmptyLine) records.push(record);
      break;
    }
  }
  return { records, problem: null };
}

/** The delimiter under which the first records have the most columns, equally many in each; a comma where none stands out. */
export function detectDelimiter(text: string): Delimiter {
  let best: { delimiter: Delimiter; columns: number } = { delimiter: ',', columns: 1 };
  for (const delimiter of delimiters) {
    const { records } = parseCsv(text, delimiter, 20);
    const columns = records[0]?.fields.length ?? 1;
    const even = records.every(({ fields }) => fields.length === columns);
    if (even && columns > best.columns) best = { delimiter, columns };
  }
  if (best.columns > 1) return best.delimiter;
  // Nothing is even, perhaps because of a broken row: the first line decides.
  const first = text.slice(0, (text.search(/[\r\n]/) + 1 || text.length + 1) - 1);
  const counts = delimiters.map((delimiter) => first.split(delimiter).length);
  return delimiters[counts.indexOf(Math.max(...counts))]!;
}

/** The value of the field whose quote opens at `start`, and the position behind its closing quote; null where there is none. */
function quotedField(text: string, start: number): { value: string; end: number } | null {
  let value = '';
  for (let position = start + 1; ; ) {
    const quote = text.indexOf('"', position);
    if (quote < 0) return null;
    value += text.slice(position, quote);
    if (text[quote + 1] !== '"') return { value, end: quote + 1 };
    value += '"';
    position = quote + 2;
  }
}

/** Line ends (CRLF, LF or CR) in a stretch of text. */
function lineEnds(text: string, start: number, end: number): number {
  let count = 0;
  for (let position = start; position < end; position++) {
    if (text[position] === '\n' || (text[position] === '\r' && text[position + 1] !== '\n')) count++;
  }
  return count;
}
