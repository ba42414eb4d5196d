/** A child process for ports.test.ts: greets over its IPC channel, and ends when told to. It is no test. */
import { processPort } from '../../src-main/shared/ports.ts';
import { serve } from '../../src-main/shared/rpc.ts';

serve({ greet: async (name: string) => `Hello, ${name}`, end: async () => process.exit(3) }, processPort(process), [
  'greet',
  'end',
]);
