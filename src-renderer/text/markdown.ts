/**
 * Notes in Markdown as a tree: headings, paragraphs, lists, quotations, code, tables, rules; emphasis, code, links and line breaks
 * within. It knows no HTML, which stays text, and no images; Markdown.svelte draws the tree.
 */
import { type Inline, readInlines } from './markdown-inline.ts';

export interface ListItem {
  /** Of a task list; null: an ordinary item. */
  checked: boolean | null;
  blocks: Block[];
}

export type Block =
  | { kind: 'heading'; level: number; inlines: Inline[] }
  | { kind: 'paragraph'; inlines: Inline[] }
  | { kind: 'list'; ordered: boolean; start: number; items: ListItem[] }
  | { kind: 'quotation'; blocks: Block[] }
  | { kind: 'code'; text: string }
  | { kind: 'table'; head: Inline[][]; rows: Inline[][][] }
  | { kind: 'rule' };

/** Lists and quotations within each other; deeper ones stay text. */
const deepest = 12;

const fence = /^ {0,3}(`{3,}|~{3,})/;
const heading = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/;
const rule = /^ {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$/;
const quotation = /^ {0,3}> ?(.*)$/;
const listItem = /^( {0,3})([-*+]|(\d{1,9})[.)])(?:[ \t]+(.*)|)$/;
const task = /^\[([ xX])\][ \t]+/;
const tableLine = /^[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;

/** Reads a whole text. */
export function readMarkdown(text: string): Block[] {
  return readBlocks(text.replaceAll(/\r\n?/g, '\n').split('\n'), 0);
}

function readBlocks(lines: string[], depth: number): Block[] {
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at]!;
    if (line.trim() === '') {
      at += 1;
      continue;
    }
    const read = readCode(lines, at) ?? readSingle(line, at) ?? readNested(lines, at, depth) ?? readTable(lines, at);
    if (read !== null) {
      blocks.push(read.block);
      at = read.next;
      continue;
    }
    const first = at;
    do at += 1;
    while (at < lines.length && !endsParagraph(lines, at, depth));
    const paragraph = lines.slice(first, at).map((one) => one.replace(/^[ \t]+/, ''));
    blocks.push({ kind: 'paragraph', inlines: readInlines(paragraph.join('\n')) });
  }
  return blocks;
}

interface Reading {
  block: Block;
  /** The line after the block. */
  next: number;
}

function readCode(lines: string[], at: number): Reading | null {
  const mark = fence.exec(lines[at]!)?.[1];
  if (mark === undefined) return null;
  let end = at + 1;
  while (end < lines.length && !(lines[end]!.trim().startsWith(mark) && /^(`+|~+)$/.test(lines[end]!.trim()))) end += 1;
  return { block: { kind: 'code', text: lines.slice(at + 1, end).join('\n') }, next: end + 1 };
}

function readSingle(line: string, at: number): Reading | null {
  if (rule.test(line)) return { block: { kind: 'rule' }, next: at + 1 };
  const found = heading.exec(line);
  if (found === null) return null;
  return { block: { kind: 'heading', level: found[1]!.length, inlines: readInlines(found[2] ?? '') }, next: at + 1 };
}

function readNested(lines: string[], at: number, depth: number): Reading | null {
  if (depth >= deepest) return null;
  const quoted: string[] = [];
  for (let next = at; next < lines.length; next++) {
    const found = quotation.exec(lines[next]!);
    if (found === null) break;
    quoted.push(found[1]!);
  }
  if (quoted.length > 0) {
    return { block: { kind: 'quotation', blocks: readBlocks(quoted, depth + 1) }, next: at + quoted.length };
  }
  return readList(lines, at, depth);
}

function readList(lines: string[], at: number, depth: number): Reading | null {
  const first = listItem.exec(lines[at]!);
  if (first === null) return null;
  const ordered = first[3] !== undefined;
  const items: ListItem[] = [];
  let next = at;
  while (next < lines.length) {
    const found = listItem.exec(lines[next]!);
    if (found === null || (found[3] !== undefined) !== ordered || rule.test(lines[next]!)) break;
    // What belongs to the item is indented at least as far as its text.
    const indent = lines[next]!.length - (found[4] ?? '').length;
    const own = [found[4] ?? ''];
    next += 1;
    while (next < lines.length) {
      const line = lines[next]!;
      const inside =
        line.trim() === '' ? continues(lines, next, indent) : indentOf(line) >= Math.min(indent, found[1]!.length + 2);
      if (!inside) break;
      own.push(line.slice(Math.min(indent, indentOf(line))));
      next += 1;
    }
    const checked = task.exec(own[0]!);
    if (checked !== null) own[0] = own[0]!.slice(checked[0].length);
    items.push({ checked: checked === null ? null : checked[1] !== ' ', blocks: readBlocks(own, depth + 1) });
    while (next < lines.length && lines[next]!.trim() === '' && listItem.test(lines[next + 1] ?? '')) next += 1;
  }
  return { block: { kind: 'list', ordered, start: Number(first[3] ?? 1), items }, next };
}

/** Whether an empty line is followed by more of the item. */
function continues(lines: string[], at: number, indent: number): boolean {
  const after = lines[at + 1];
  return after !== undefined && after.trim() !== '' && indentOf(after) >= indent;
}

function readTable(lines: string[], at: number): Reading | null {
  const [line, below] = [lines[at]!, lines[at + 1]];
  if (!line.includes('|') || below === undefined || !below.includes('-') || !tableLine.test(below)) return null;
  const head = cells(line);
  if (head.length !== cells(below).length) return null;
  const rows: Inline[][][] = [];
  let next = at + 2;
  while (next < lines.length && lines[next]!.includes('|')) {
    const row = cells(lines[next]!);
    rows.push(head.map((_, column) => readInlines(row[column] ?? '')));
    next += 1;
  }
  return { block: { kind: 'table', head: head.map((cell) => readInlines(cell)), rows }, next };
}

/** The cells of a line; `\|` is no border. */
function cells(line: string): string[] {
  return line
    .trim()
    .replace(/^\|/, '')
    .replace(/(?<!\\)\|$/, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}

function endsParagraph(lines: string[], at: number, depth: number): boolean {
  const line = lines[at]!;
  if (line.trim() === '' || fence.test(line) || heading.test(line) || rule.test(line)) return true;
  return depth < deepest && (quotation.test(line) || /^ {0,3}([-*+]|1[.)])[ \t]+\S/.test(line));
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
