/**
 * Runs host.ts in a worker thread that looks like an Electron utility process: `process.parentPort`, ports with Electron's members.
 * It stands in for Electron's side of the channel only. It is no test.
 */
import { EventEmitter } from 'node:events';
import { type MessagePort, parentPort } from 'node:worker_threads';
import type { ElectronMessagePort } from '../../src-main/shared/ports.ts';

class ElectronPort extends EventEmitter {
  readonly #port: MessagePort;

  constructor(port: MessagePort) {
    super();
    this.#port = port;
    port.on('close', () => this.emit('close'));
  }

  start(): void {
    this.#port.on('message', (data) => this.emit('message', { data }));
  }

  postMessage(message: unknown): void {
    this.#port.postMessage(message);
  }

  close(): void {
    this.#port.close();
  }
}

const shell = parentPort!;
const asElectron = {
  on(_event: 'message', listener: (event: { data: unknown; ports: ElectronMessagePort[] }) => void): void {
    shell.on('message', ({ data, port }: { data: unknown; port?: MessagePort }) => {
      listener({ data, ports: port ? [new ElectronPort(port)] : [] });
    });
  },
  postMessage: (message: unknown) => shell.postMessage(message),
};

Object.defineProperty(process, 'parentPort', { value: asElectron });
process.argv.push('--host-process');
await import('../../src-main/host.ts');
