import { MessageChannel } from 'node:worker_threads';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type { Event } from '../../src-main/shared/contract.ts';
import { HopscopeError } from '../../src-main/shared/errors.ts';
import { createEvent } from '../../src-main/shared/event.ts';
import { computeMembers, serviceMembers } from '../../src-main/shared/members.ts';
import { connect, mostInFlight, type Port, serve } from '../../src-main/shared/rpc.ts';
import { nodePort } from './node-port.ts';

interface Calculator {
  add(a: number, b: number): Promise<number>;
  echo(...values: unknown[]): Promise<unknown>;
  fail(code: string): Promise<void>;
  crash(): Promise<void>;
  throwAtOnce(): Promise<void>;
  unsendable(): Promise<unknown>;
  wait(signal?: AbortSignal): Promise<string>;
  onTick: Event<{ count: number }>;
}

class Base {
  inherited(): string {
    return 'must not be reached';
  }
}

class RealCalculator extends Base implements Calculator {
  readonly ticks = createEvent<{ count: number }>();
  readonly signals: AbortSignal[] = [];
  secret = () => 'must not be reached';
  add = async (a: number, b: number) => a + b;
  echo = async (...values: unknown[]) => values;
  fail = async (code: string) => {
    throw new HopscopeError(code, 'As asked.');
  };
  crash = async () => {
    throw new TypeError('a bug');
  };
  throwAtOnce = () => {
    throw new HopscopeError('AtOnce', 'Before any promise.');
  };
  unsendable = async () => () => {};
  wait = (signal?: AbortSignal) =>
    new Promise<string>((_resolve, reject) => {
      if (signal) this.signals.push(signal);
      signal?.addEventListener('abort', () => reject(new HopscopeError('Interrupted', 'Stopped.', 'interrupted')));
    });
  onTick = this.ticks.subscribe;
}

const members = ['add', 'echo', 'fail', 'crash', 'throwAtOnce', 'unsendable', 'wait', 'onTick'] as const;
const open: Port[] = [];

function pair(): [Port, Port] {
  const { port1, port2 } = new MessageChannel();
  const ports: [Port, Port] = [nodePort(port1), nodePort(port2)];
  open.push(...ports);
  return ports;
}

function setUp() {
  const [near, far] = pair();
  const object = new RealCalculator();
  serve<Calculator>(object, far, members);
  return { object, near, far, client: connect<Calculator>(near) };
}

/** Some turns of the event loop, in each of which messages are handed on; one long wait could be over before any is. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setTimeout(resolve, 5));
}

afterEach(() => {
  for (const port of open.splice(0)) port.close();
});

describe('calls', () => {
  test('carry arguments and answers, several at once', async () => {
    const { client } = setUp();
    const answers = await Promise.all([
      client.add(1, 2),
      client.add(3, 4),
      client.echo({ a: [null, true, 'x'] }),
      client.echo('a', undefined),
    ]);
    expect(answers).toEqual([3, 7, [{ a: [null, true, 'x'] }], ['a']]);
  });

  test('reject with the same code, message and kind; bugs come as Internal', async () => {
    const { client } = setUp();
    await expect(client.fail('OutOfTune')).rejects.toMatchObject({ code: 'OutOfTune', message: 'As asked.', kind: 'input' });
    await expect(client.crash()).rejects.toMatchObject({ code: 'Internal', message: 'a bug', kind: 'failure' });
    await expect(client.throwAtOnce()).rejects.toMatchObject({ code: 'AtOnce' });
    await expect(client.unsendable()).rejects.toMatchObject({ code: 'Internal' });
    await expect(client.echo(() => {})).rejects.toMatchObject({ code: 'NotSendable' });
  });

  test('reach nothing that is not listed', async () => {
    const { client } = setUp();
    const anything = client as unknown as Record<string, () => Promise<unknown>>;
    for (const name of [
      'inherited',
      'secret',
      'constructor',
      'toString',
      '__proto__',
      'hasOwnProperty',
      '__defineGetter__',
      'ticks',
      '',
    ]) {
      await expect(anything[name]!(), name).rejects.toMatchObject({ code: 'UnknownMethod' });
    }
    expect(await client.add(1, 1)).toBe(2);
  });

  test('an unanswered 65th is refused, and there is room again afterwards', async () => {
    const { client } = setUp();
    const controller = new AbortController();
    const waiting = Array.from({ length: mostInFlight }, () => client.wait(controller.signal));
    const outcomes = Promise.allSettled(waiting);
    await expect(client.add(1, 2)).rejects.toMatchObject({ code: 'TooManyCalls' });
    controller.abort();
    expect((await outcomes).every((outcome) => outcome.status === 'rejected')).toBe(true);
    expect(await client.add(1, 2)).toBe(3);
  });

  test('a client can be returned from an async function', async () => {
    const { client } = setUp();
    const same = await (async () => client)();
    expect(await same.add(1, 2)).toBe(3);
  });
});

describe('cancellation', () => {
  test('aborting here aborts there', async () => {
    const { client, object } = setUp();
    const controller = new AbortController();
    const waiting = client.wait(controller.signal);
    await settled();
    expect(object.signals.map((signal) => signal.aborted)).toEqual([false]);
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'Interrupted', kind: 'interrupted' });
    expect(object.signals[0]?.aborted).toBe(true);
  });

  test('a signal aborted before the call never reaches the far side', async () => {
    const { client, object } = setUp();
    await expect(client.wait(AbortSignal.abort())).rejects.toMatchObject({ code: 'Interrupted' });
    expect(object.signals).toEqual([]);
  });

  test('a closing port rejects what waits and aborts its signals there', async () => {
    const { client, object } = setUp();
    const waiting = client.wait(new AbortController().signal);
    await settled();
    client.close();
    await expect(waiting).rejects.toMatchObject({ code: 'Disconnected' });
    await settled();
    expect(object.signals[0]?.aborted).toBe(true);
    await expect(client.add(1, 2)).rejects.toMatchObject({ code: 'Disconnected' });
  });
});

describe('events', () => {
  test('arrive until the subscription ends, each subscriber its own', async () => {
    const { client, object } = setUp();
    const first: number[] = [];
    const second: number[] = [];
    const end = client.onTick(({ count }) => first.push(count));
    client.onTick(({ count }) => second.push(count));
    await client.add(0, 0);
    object.ticks.emit({ count: 1 });
    await settled();
    end();
    await client.add(0, 0);
    object.ticks.emit({ count: 2 });
    await settled();
    expect([first, second]).toEqual([[1], [1, 2]]);
  });

  test('end when the port closes; a 65th subscription is refused without harm', async () => {
    const { client, object, near } = setUp();
    let count = 0;
    for (let index = 0; index < mostInFlight + 1; index++) client.onTick(() => count++);
    await client.add(0, 0);
    object.ticks.emit({ count: 1 });
    await settled();
    expect(count).toBe(mostInFlight);
    near.close();
    await settled();
    object.ticks.emit({ count: 2 });
    await settled();
    expect(count).toBe(mostInFlight);
  });
});

describe('malformed messages', () => {
  function raw() {
    const [near, far] = pair();
    const object = new RealCalculator();
    serve<Calculator>(object, far, members);
    const answers: { type: string; id: unknown; error?: { code: string } }[] = [];
    near.onMessage((message) => answers.push(message as (typeof answers)[number]));
    return { near, answers };
  }

  test('are answered with BadMessage', async () => {
    const { near, answers } = raw();
    const cyclic: Record<string, unknown> = { type: 'call', id: 90, member: 'echo' };
    cyclic.arguments = [cyclic];
    let shared: unknown = [];
    for (let level = 0; level < 60; level++) shared = [shared, shared];
    let deep: unknown = [];
    for (let level = 0; level < 300; level++) deep = [deep];
    const bad: unknown[] = [
      null,
      undefined,
      'text',
      7,
      [],
      [{ type: 'call' }],
      new Uint8Array(8),
      {},
      { type: 'call' },
      { type: 'call', id: 0, member: 'add' },
      { type: 'call', id: 1.5, member: 'add' },
      { type: 'call', id: 2 ** 53, member: 'add' },
      { type: 'call', id: {}, member: 'add' },
      { type: 'nonsense', id: 1 },
      { type: 'result', id: 1, value: 3 },
      { type: 'call', id: 1, member: 7 },
      { type: 'call', id: 1, member: 'add', arguments: {} },
      { type: 'call', id: 1, member: 'echo', arguments: [1n] },
      { type: 'call', id: 1, member: 'echo', arguments: [Number.NaN] },
      { type: 'call', id: 1, member: 'echo', arguments: [new Date()] },
      { type: 'call', id: 1, member: 'echo', arguments: [new Map()] },
      { type: 'call', id: 1, member: 'echo', arguments: [JSON.parse('{"\\u005f_proto__": {"polluted": true}}')] },
      { type: 'call', id: 1, member: 'echo', arguments: [deep] },
      { type: 'call', id: 1, member: 'echo', arguments: [shared] },
      { type: 'call', id: 1, member: 'echo', arguments: new Array(2 ** 32 - 1) },
      { type: 'call', id: 1, member: 'add', arguments: [1], signals: [-1] },
      { type: 'call', id: 1, member: 'add', arguments: [1], signals: [1e9] },
      { type: 'call', id: 1, member: 'add', arguments: [1], signals: 'all' },
      cyclic,
    ];
    for (const message of bad) near.post(message);
    near.post({ type: 'call', id: 1000, member: 'add', arguments: [1, 2] });
    while (!answers.some((answer) => answer.id === 1000)) await settled();
    expect(answers.slice(0, -1).map((answer) => answer.error?.code)).toEqual(bad.map(() => 'BadMessage'));
    expect(answers.at(-1)).toEqual({ type: 'result', id: 1000, value: 3 });
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test('a number in use is refused; aborts and unsubscriptions of nothing are ignored', async () => {
    const { near, answers } = raw();
    near.post({ type: 'call', id: 5, member: 'wait', arguments: [] });
    near.post({ type: 'call', id: 5, member: 'add', arguments: [1, 2] });
    near.post({ type: 'subscribe', id: 5, member: 'onTick' });
    near.post({ type: 'subscribe', id: 6, member: 'add' });
    near.post({ type: 'call', id: 6, member: 'onTick' });
    for (let count = 0; count < 1000; count++) near.post({ type: 'abort', id: 77 });
    near.post({ type: 'unsubscribe', id: 77 });
    await settled();
    expect(answers.map((answer) => answer.error?.code)).toEqual(['BadMessage', 'BadMessage', 'UnknownMethod', 'UnknownMethod']);
  });

  test('whatever comes, the far side goes on', async () => {
    const { near, answers } = raw();
    const word = fc.constantFrom(
      'call',
      'abort',
      'subscribe',
      'unsubscribe',
      'result',
      'add',
      'echo',
      'onTick',
      '__proto__',
      'constructor',
      '',
    );
    const value = fc.oneof(
      word,
      fc.integer({ min: -2, max: 40 }),
      fc.double(),
      fc.jsonValue(),
      fc.anything({ withBigInt: true, withDate: true, withMap: true }),
    );
    const message = fc.oneof(
      fc.record({ type: word, id: value, member: word, arguments: value, signals: value }, { requiredKeys: [] }),
      fc.record({
        type: fc.constant('call'),
        id: fc.integer({ min: 1, max: 500 }),
        member: word,
        arguments: fc.array(value),
        signals: fc.array(value),
      }),
      value,
    );
    const prototype = Object.getOwnPropertyNames(Object.prototype).sort();
    let sent = 0;
    fc.assert(
      fc.property(message, (one) => {
        try {
          near.post(one);
          sent += 1;
        } catch {
          // Not cloneable, so it cannot arrive either.
        }
      }),
      { numRuns: 10_000, seed: 7 },
    );
    const asked = performance.now();
    near.post({ type: 'call', id: 1_000_000, member: 'add', arguments: [20, 22] });
    while (!answers.some((answer) => answer.id === 1_000_000)) await settled();
    expect(performance.now() - asked).toBeLessThan(10_000);
    expect(sent).toBeGreaterThan(9_000);
    expect(answers.find((answer) => answer.id === 1_000_000)).toEqual({ type: 'result', id: 1_000_000, value: 42 });
    expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(prototype);
    const codes = new Set(answers.flatMap((answer) => (answer.error ? [answer.error.code] : [])));
    expect([...codes].filter((code) => !['BadMessage', 'UnknownMethod', 'TooManyCalls'].includes(code))).toEqual([]);
  });

  test('malformed answers are ignored by the caller, or reject as Internal', async () => {
    const [near, far] = pair();
    const client = connect<Calculator>(near);
    far.onMessage((message) => {
      const { id } = message as { id: number };
      for (const noise of [null, 'text', { id }, { id: 'x', type: 'result' }, { id: 99, type: 'result' }].filter(
        (one) => (one as { id?: unknown } | null)?.id !== id,
      ))
        far.post(noise);
      far.post({ type: 'error', id, error: { code: 7 } });
    });
    await expect(client.add(1, 2)).rejects.toMatchObject({ code: 'Internal', kind: 'failure' });
  });
});

test('the lists of members hold calls and events', () => {
  expect(serviceMembers).toContain('onRunChanged');
  expect(computeMembers).toEqual(expect.arrayContaining(['describeModel', 'execute', 'onEmission', 'pause', 'tokenize']));
  for (const members of [serviceMembers, computeMembers]) expect(new Set(members).size).toBe(members.length);
});
