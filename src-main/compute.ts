/**
 * The compute process: serves `Compute` (experiments/compute-service.ts) to the host that had it started, and may crash alone.
 * It is wiring only. Under Node it is forked with the folders of resources and of scratch files and what specs may leave out (JSON) as its arguments and serves over process IPC; as an Electron
 * utility process it waits for {type: 'start', resources, scratch} with one MessagePort.
 */
import { createCompute } from './experiments/compute-service.ts';
import { computeMembers } from './shared/members.ts';
import { type ElectronMessagePort, electronPort, processPort } from './shared/ports.ts';
import type { ComputeDefaults } from './shared/records.ts';
import { type Port, serve } from './shared/rpc.ts';

/** Electron's `process.parentPort`. */
interface ParentPort {
  once(
    event: 'message',
    listener: (event: { data: { resources: string; scratch?: string }; ports: ElectronMessagePort[] }) => void,
  ): void;
}

const { parentPort } = process as unknown as { parentPort?: ParentPort };

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
// Ctrl-C in a terminal reaches the whole group; the host decides what ends.
process.on('SIGINT', () => {});

if (parentPort) {
  parentPort.once('message', ({ data, ports: [port] }) => {
    if (port) begin(data.resources, data.scratch, electronPort(port));
  });
} else begin(process.argv[2] ?? '', process.argv[3], processPort(process), JSON.parse(process.argv[4] ?? '{}'));

function begin(resources: string, scratch: string | undefined, port: Port, defaults: ComputeDefaults = {}): void {
  serve(createCompute({ resources, ...(scratch && { scratch }), defaults }), port, computeMembers);
  port.onClose(() => process.exit(0));
}

function fail(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`error[Internal]: the compute process ends on an uncaught error: ${message.replaceAll(/\s+/g, ' ')}\n`);
  process.exit(1);
}
