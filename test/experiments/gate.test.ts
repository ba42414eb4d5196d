import { expect, test } from 'vitest';
import { Gate } from '../../src-main/experiments/gate.ts';

const settled = async (promise: Promise<unknown>) => {
  let done = false;
  promise.then(
    () => (done = true),
    () => (done = true),
  );
  await new Promise((resolve) => setTimeout(resolve, 15));
  return done;
};

test('an open gate lets pass, a shut one holds until it opens', async () => {
  const gate = new Gate();
  await gate.pass();
  gate.shut();
  const waiting = gate.pass();
  expect(await settled(waiting)).toBe(false);
  gate.open();
  await waiting;
  expect(gate.secondsShut).toBeGreaterThan(0.01);
  const before = gate.secondsShut;
  await new Promise((resolve) => setTimeout(resolve, 15));
  expect(gate.secondsShut).toBe(before);
});

test('who waits is told when the signal aborts, and the gate stays shut', async () => {
  const gate = new Gate();
  const controller = new AbortController();
  gate.shut();
  const waiting = gate.pass(controller.signal);
  controller.abort(new Error('stopped'));
  await expect(waiting).rejects.toThrow('stopped');
  await expect(gate.pass(controller.signal)).rejects.toThrow('stopped');
  expect(await settled(gate.pass())).toBe(false);
});

test('a gate that shuts again before those who wait went on holds them', async () => {
  const gate = new Gate();
  gate.shut();
  const waiting = gate.pass();
  gate.open();
  gate.shut();
  expect(await settled(waiting)).toBe(false);
  gate.open();
  await waiting;
});
