/**
 * Training through a scratch folder from the command line: killed without warning, interrupted, or given to another training, it loses nothing and
 * ends with the bytes of an uninterrupted one.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src-main/shared/random.ts';
import { fixturePath } from '../parity/fixture.ts';
import { hopscope, succeed, temporaryFolder } from './support.ts';

const folder = temporaryFolder();
const plan = join(folder, 'plan.json');
const fixture = JSON.parse(readFileSync(fixturePath('training', 'llama.json'), 'utf8')) as { batches: Record<string, unknown>[] };
const batches = fixture.batches.map(({ input_ids, attention_mask, labels }) => ({ input_ids, attention_mask, labels }));
writeFileSync(plan, JSON.stringify({ batches, epochs: 4, lr: 1e-3 }));

const train = (model: string, out: string, scratch: string, planFile = plan) => [
  ...['train', '--model', fixturePath('models', model), '--plan', planFile],
  ...['--out', join(folder, out), '--scratch', join(folder, scratch)],
];
const stepsIn = (record: string) =>
  existsSync(record) ? (JSON.parse(readFileSync(record, 'utf8')) as { steps: number }).steps : 0;
const bytesOf = (out: string) => readFileSync(join(folder, out, 'weights.safetensors'));

describe('a training through a scratch folder', () => {
  test('killed again and again goes on to the bytes of an uninterrupted one', async () => {
    await succeed([...train('llama', 'straight', 'scratch-straight')]);
    expect(existsSync(join(folder, 'scratch-straight'))).toBe(false);
    const random = new Random('when to kill');
    let kills = 0;
    for (let attempt = 0; attempt < 12; attempt++) {
      const milliseconds = 20 + 60 * attempt * random.next();
      const { code } = await hopscope(train('llama', 'killed', 'scratch-killed'), {
        onOutput: (text, kill) => void (text.includes('scratch') && setTimeout(() => kill('SIGKILL'), milliseconds)),
      });
      if (code === 0) break;
      expect(code).toBe(null);
      kills++;
    }
    // A busy machine may never have come to its end
    if (!existsSync(join(folder, 'killed'))) await succeed([...train('llama', 'killed', 'scratch-killed')]);
    expect(kills).toBeGreaterThan(0);
    expect(bytesOf('killed').equals(bytesOf('straight'))).toBe(true);
    expect(existsSync(join(folder, 'scratch-killed'))).toBe(false);
    const [killed, straight] = ['killed', 'straight'].map(
      (out) => (JSON.parse(readFileSync(join(folder, out, 'losses.json'), 'utf8')) as { losses: number[] }).losses,
    );
    expect(killed).toEqual(straight);
  });

  test('is not gone on with by another one', async () => {
    const other = join(folder, 'other.json');
    writeFileSync(other, JSON.stringify({ batches, epochs: 4, lr: 2e-3 }));
    const state = join(folder, 'scratch-left', 'state.json');
    let looking: ReturnType<typeof setInterval> | undefined;
    await hopscope(train('llama', 'left', 'scratch-left'), {
      // As soon as there is a step to go on after
      onOutput: (_text, kill) => {
        looking ??= setInterval(() => stepsIn(state) > 0 && kill('SIGINT'), 5);
      },
    });
    clearInterval(looking);
    expect(existsSync(state)).toBe(true);
    expect(existsSync(join(folder, 'left'))).toBe(false);
    const refused = await hopscope([...train('llama', 'left', 'scratch-left', other), '--json']);
    expect(refused.code).toBe(2);
    expect(refused.json()).toMatchObject({ error: { code: 'ScratchInUse' } });
    const resumed = await hopscope(train('llama', 'left', 'scratch-left'));
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stderr).toMatch(/went on after step \d+ of an interrupted training/);
    expect(bytesOf('left').equals(bytesOf('straight'))).toBe(true);
  });

  test('does not start in a folder that holds something else', async () => {
    const { code, stderr } = await hopscope([
      ...['train', '--model', fixturePath('models', 'llama'), '--plan', plan],
      ...['--out', join(folder, 'none'), '--scratch', fixturePath('models')],
    ]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('error[ScratchInUse]')]);
  });
});
