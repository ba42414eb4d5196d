/** Markdown as a tree: what notes are written with, and that nothing in them becomes more than text, a link or a list. */
import { expect, it } from 'vitest';
import { readMarkdown } from '../../src-renderer/text/markdown.ts';
import { type Inline, readInlines, safeAddress } from '../../src-renderer/text/markdown-inline.ts';

/** The tree in short: `strong(text)`. */
function short(inlines: Inline[]): string {
  return inlines
    .map((inline) => {
      if (inline.kind === 'text') return inline.text;
      if (inline.kind === 'break') return '<break>';
      if (inline.kind === 'code') return `code(${inline.text})`;
      if (inline.kind === 'link') return `link(${short(inline.inlines)} -> ${inline.address})`;
      return `${inline.kind}(${short(inline.inlines)})`;
    })
    .join('');
}
const inline = (text: string) => short(readInlines(text));

it.each([
  ['**bold** and *slanted* and `code *not* this`', 'strong(bold) and emphasis(slanted) and code(code *not* this)'],
  ['***both***', 'strong(*both)*'],
  ['**outer *inner* outer**', 'strong(outer emphasis(inner) outer)'],
  ['snake_case_name and _this_', 'snake_case_name and emphasis(this)'],
  ['2 * 3 * 4', '2 * 3 * 4'],
  ['~~gone~~ ~not~', 'struck(gone) ~not~'],
  ['\\*plain\\* C:\\path', '*plain* C:\\path'],
  ['``a ` b``', 'code(a ` b)'],
  ['`open', '`open'],
  ['one\ntwo  \nthree', 'one two<break>three'],
  ['[run](#/runs/a) [site](https://x.org/a_(b)) <b>', 'link(run -> #/runs/a) link(site -> https://x.org/a_(b)) <b>'],
  ['[a [b](https://x.org)', '[a link(b -> https://x.org)'],
  ['see https://x.org/p.', 'see link(https://x.org/p -> https://x.org/p).'],
  [
    '[x](javascript:alert(1)) [y](JaVaScript:x) [z](data:text/html,x)',
    '[x](javascript:alert(1)) [y](JaVaScript:x) [z](data:text/html,x)',
  ],
  ['<script>alert(1)</script>', '<script>alert(1)</script>'],
])('inline %j', (text, expected) => {
  expect(inline(text)).toBe(expected);
});

it('links lead to the web, to mail, or into the workbench, and nowhere else', () => {
  expect(safeAddress('#/runs/a')).toEqual({ address: '#/runs/a', inside: true });
  expect(safeAddress('HTTPS://x.org')).toEqual({ address: 'HTTPS://x.org', inside: false });
  for (const address of ['javascript:x', ' javascript:x', 'file:///etc/passwd', 'vbscript:x', '//x.org', '#t=token', ''])
    expect(safeAddress(address)).toBeNull();
});

it('blocks: headings, lists within lists, tasks, quotations, code, tables, rules', () => {
  const text = `# Title
A paragraph
of two lines.
- one
- two
  - inner

  more of two
3. third
4. fourth

- [x] done
- [ ] open
> said
> - listed
\`\`\`ts
const **x** = '<b>';
\`\`\`
| a | b \\| c |
|---|:--:|
| 1 | *2* |
***
#no heading`;
  const blocks = readMarkdown(text);
  expect(blocks.map(({ kind }) => kind)).toEqual([
    'heading',
    'paragraph',
    'list',
    'list',
    'list',
    'quotation',
    'code',
    'table',
    'rule',
    'paragraph',
  ]);
  expect(blocks[1]).toEqual({ kind: 'paragraph', inlines: [{ kind: 'text', text: 'A paragraph of two lines.' }] });
  expect(blocks[2]).toMatchObject({
    ordered: false,
    items: [{ blocks: [{ kind: 'paragraph' }] }, { blocks: [{ kind: 'paragraph' }, { kind: 'list' }, { kind: 'paragraph' }] }],
  });
  expect(blocks[3]).toMatchObject({ ordered: true, start: 3, items: [{}, {}] });
  expect(blocks[4]).toMatchObject({ items: [{ checked: true }, { checked: false }] });
  expect(blocks[5]).toMatchObject({ blocks: [{ kind: 'paragraph' }, { kind: 'list' }] });
  expect(blocks[6]).toEqual({ kind: 'code', text: "const **x** = '<b>';" });
  expect(blocks[7]).toMatchObject({
    head: [[{ text: 'a' }], [{ text: 'b | c' }]],
    rows: [[[{ text: '1' }], [{ kind: 'emphasis' }]]],
  });
});

it('text that is made to be slow or deep is read', { timeout: 60_000 }, () => {
  for (const part of ['*a ', '[', '[a](', '`', '`a``b', '> ', '- ', '_a', '**a *', '|', '\\', '~~a', '  - a\n', 'h', '***'])
    readMarkdown(part.repeat(20_000));
  readMarkdown(Array.from({ length: 500 }, (_, depth) => `${' '.repeat(2 * depth)}- item`).join('\n'));
});
