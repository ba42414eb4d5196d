/**
 * Carries an interface over a message port: `serve` answers for an object, `connect` is the same interface on the far side.
 * It knows nothing of what is carried, nor which kind of port it is (ports.ts has those); messages are plain JSON.
 *
 * Caller to callee: {type: 'call', id, member, arguments, signals}, {type: 'abort', id}, {type: 'subscribe', id, member},
 * {type: 'unsubscribe', id}. Callee to caller: {type: 'result', id, value}, {type: 'error', id, error}, {type: 'event', id, value}.
 * `signals` lists the positions of the arguments that are AbortSignals. A member `onX` is an event, every other one a call.
 */
import { type ErrorRecord, errorFromRecord, errorRecord, HopscopeError } from './errors.ts';

/** Any channel of JSON-able messages. `onClose` listeners are called once, at once if the port is closed already. */
export interface Port {
  post(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  onClose(listener: () => void): void;
  close(): void;
}

/** Calls, and as many subscriptions, that one port may have open. */
export const mostInFlight = 64;

const deepestArgument = 128;
const mostValues = 2_000_000;

type Call = (...values: unknown[]) => unknown;

/**
 * Answers calls and subscriptions that arrive on `port` for `object`, for the named members only: nothing inherited or unnamed
 * can be reached. Nothing that arrives throws out of the handler: what is malformed is answered with `BadMessage`, an unknown
 * member with `UnknownMethod`, a call beyond 64 unanswered ones with `TooManyCalls`. When the port closes, the signals of
 * its calls abort and its subscriptions end.
 */
export function serve<T extends object>(object: T, port: Port, members: readonly (keyof T & string)[]): void {
  const allowed = new Set<string>(members);
  const calls = new Map<number, AbortController>();
  const subscriptions = new Map<number, () => void>();
  let closed = false;

  function refuse(id: number | null, error: unknown): void {
    if (!closed) send(port, { type: 'error', id, error: errorRecord(error) });
  }

  function call(id: number, message: Message): void {
    const member = memberOf(message, allowed, false);
    const values = message.arguments ?? [];
    if (!Array.isArray(values)) throw badMessage('the arguments are not a list');
    if (!isPlain(values, deepestArgument)) throw badMessage('an argument is not plain data');
    const positions = message.signals ?? [];
    if (!Array.isArray(positions) || positions.length > 8) throw badMessage('the signals are not a short list');
    if (calls.has(id) || subscriptions.has(id)) throw badMessage(`number ${id} is in use`);
    if (calls.size >= mostInFlight) {
      throw new HopscopeError(
        'TooManyCalls',
        `More than ${mostInFlight} calls are unanswered on this connection; wait for some.`,
        'failure',
      );
    }
    const controller = new AbortController();
    const given: unknown[] = [...values];
    for (const position of positions) {
      if (!Number.isInteger(position) || position < 0 || position > 15) throw badMessage('a signal has no such position');
      given[position] = controller.signal;
    }
    calls.set(id, controller);
    invoke(object, member, given).then(
      (value) => {
        calls.delete(id);
        if (closed) return;
        if (!send(port, { type: 'result', id, value })) refuse(id, new Error(`The answer of ${member} cannot be sent.`));
      },
      (error: unknown) => {
        calls.delete(id);
        refuse(id, error);
      },
    );
  }

  function subscribe(id: number, message: Message): void {
    const member = memberOf(message, allowed, true);
    if (calls.has(id) || subscriptions.has(id)) throw badMessage(`number ${id} is in use`);
    if (subscriptions.size >= mostInFlight) {
      throw new HopscopeError('TooManyCalls', `More than ${mostInFlight} subscriptions are open on this connection.`, 'failure');
    }
    const source = Reflect.get(object, member) as Call;
    const end = source.call(object, (value: unknown) => {
      if (!closed && subscriptions.has(id)) send(port, { type: 'event', id, value });
    });
    subscriptions.set(id, end as () => void);
  }

  port.onMessage((received) => {
    let id: number | null = null;
    try {
      const message = messageOf(received);
      id = idOf(message);
      if (message.type === 'call') call(id, message);
      else if (message.type === 'subscribe') subscribe(id, message);
      else if (message.type === 'abort') calls.get(id)?.abort();
      else if (message.type === 'unsubscribe') {
        const end = subscriptions.get(id);
        subscriptions.delete(id);
        end?.();
      } else throw badMessage('its type is unknown');
    } catch (error) {
      refuse(id, error);
    }
  });

  port.onClose(() => {
    closed = true;
    for (const controller of calls.values()) controller.abort();
    for (const end of subscriptions.values()) end();
    calls.clear();
    subscriptions.clear();
  });
}

/**
 * The far side's object. Calls reject with the callee's HopscopeError, or with `Disconnected` when the port closes first.
 * An AbortSignal among the arguments is carried across: aborting it aborts a signal at the callee, which decides the outcome.
 */
export function connect<T extends object>(port: Port): T & { close(): void } {
  const calls = new Map<number, { resolve(value: unknown): void; reject(error: Error): void; done(): void }>();
  const subscriptions = new Map<number, (value: unknown) => void>();
  let closed = false;
  let last = 0;

  function call(member: string, values: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (closed) return reject(disconnected());
      last += 1;
      const id = last;
      const given = [...values];
      while (given.length > 0 && given.at(-1) === undefined) given.pop();
      const signals: number[] = [];
      const unlisten: (() => void)[] = [];
      for (const [position, value] of given.entries()) {
        if (!(value instanceof AbortSignal)) continue;
        if (value.aborted) return reject(new HopscopeError('Interrupted', 'Stopped on request.', 'interrupted'));
        const abort = () => send(port, { type: 'abort', id });
        value.addEventListener('abort', abort, { once: true });
        unlisten.push(() => value.removeEventListener('abort', abort));
        given[position] = null;
        signals.push(position);
      }
      const done = () => {
        calls.delete(id);
        for (const end of unlisten) end();
      };
      calls.set(id, { resolve, reject, done });
      const message =
        signals.length > 0
          ? { type: 'call', id, member, arguments: given, signals }
          : { type: 'call', id, member, arguments: given };
      if (!send(port, message)) {
        done();
        reject(new HopscopeError('NotSendable', `The arguments of ${member} cannot be sent: pass plain data only.`, 'failure'));
      }
    });
  }

  function subscribe(member: string, listener: (value: unknown) => void): () => void {
    last += 1;
    const id = last;
    if (closed) return () => {};
    subscriptions.set(id, listener);
    send(port, { type: 'subscribe', id, member });
    return () => {
      if (subscriptions.delete(id) && !closed) send(port, { type: 'unsubscribe', id });
    };
  }

  port.onMessage((received) => {
    if (typeof received !== 'object' || received === null) return;
    const { type, id, value, error } = received as { type?: unknown; id?: unknown; value?: unknown; error?: unknown };
    if (typeof id !== 'number') return;
    if (type === 'event') return subscriptions.get(id)?.(value);
    const pending = calls.get(id);
    if (pending === undefined) return;
    pending.done();
    if (type === 'result') pending.resolve(value);
    else pending.reject(errorFromRecord(recordOf(error)));
  });

  port.onClose(() => {
    closed = true;
    for (const pending of [...calls.values()]) {
      pending.done();
      pending.reject(disconnected());
    }
    subscriptions.clear();
  });

  const client = new Proxy(Object.create(null), {
    get(_target, member) {
      // `then` is left out so that a client can be returned from an async function.
      if (typeof member !== 'string' || member === 'then') return undefined;
      if (member === 'close') return () => port.close();
      if (isEventName(member)) return (listener: (value: unknown) => void) => subscribe(member, listener);
      return (...values: unknown[]) => call(member, values);
    },
  });
  return client as T & { close(): void };
}

interface Message {
  type?: unknown;
  id?: unknown;
  member?: unknown;
  arguments?: unknown;
  signals?: unknown;
}

function isEventName(member: string): boolean {
  return /^on[A-Z]/.test(member);
}

function badMessage(reason: string): HopscopeError {
  return new HopscopeError('BadMessage', `A message was refused: ${reason}.`);
}

function disconnected(): HopscopeError {
  return new HopscopeError('Disconnected', 'The connection closed before the answer came; reconnect and ask again.', 'failure');
}

function messageOf(received: unknown): Message {
  if (typeof received !== 'object' || received === null || Array.isArray(received)) throw badMessage('it is not an object');
  return received;
}

function idOf(message: Message): number {
  if (typeof message.id !== 'number' || !Number.isSafeInteger(message.id) || message.id < 1) {
    throw badMessage('its id is not a positive integer');
  }
  return message.id;
}

function memberOf(message: Message, allowed: Set<string>, event: boolean): string {
  const { member } = message;
  if (typeof member !== 'string') throw badMessage('its member is not a name');
  if (!allowed.has(member) || isEventName(member) !== event) {
    throw new HopscopeError('UnknownMethod', `There is no ${event ? 'event' : 'method'} ${JSON.stringify(member.slice(0, 64))}.`);
  }
  return member;
}

/** Async, so that a member that throws at once rejects like any other. */
async function invoke(object: object, member: string, values: unknown[]): Promise<unknown> {
  return await (Reflect.get(object, member) as Call).apply(object, values);
}

/** Whether the port took the message; a port that is closed or a value that cannot be copied is no reason to throw. */
function send(port: Port, message: unknown): boolean {
  try {
    port.post(message);
    return true;
  } catch {
    return false;
  }
}

/**
 * Null, booleans, finite numbers, strings, and lists and plain objects of them; no `__proto__` key; not too deep (so not cyclic)
 * and not too many (a list of holes, or a value shared over and over, would otherwise take for ever to walk).
 */
function isPlain(value: unknown, depth: number, budget = { left: mostValues }): boolean {
  budget.left -= 1;
  if (value === null || value === undefined || typeof value === 'boolean' || typeof value === 'string') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || depth === 0) return false;
  if (Array.isArray(value)) return value.length <= budget.left && value.every((item) => isPlain(item, depth - 1, budget));
  const prototype: unknown = Object.getPrototypeOf(value);
  if ((prototype !== Object.prototype && prototype !== null) || budget.left < 0) return false;
  return Object.entries(value).every(([key, item]) => key !== '__proto__' && isPlain(item, depth - 1, budget));
}

function recordOf(error: unknown): ErrorRecord {
  const { code, message, kind } = (typeof error === 'object' && error !== null ? error : {}) as Partial<ErrorRecord>;
  if (typeof code !== 'string' || typeof message !== 'string')
    return { code: 'Internal', message: 'The answer was malformed.', kind: 'failure' };
  return { code, message, kind: kind === 'input' || kind === 'interrupted' ? kind : 'failure' };
}
