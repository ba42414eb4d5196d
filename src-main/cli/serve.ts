/**
 * `hopscope serve`: the workbench in a browser on this machine, until Ctrl-C. It prints one address, token in its fragment.
 */
import { HopscopeError } from '../shared/errors.ts';
import { serviceMembers } from '../shared/members.ts';
import { startServer } from '../shell/serve.ts';
import type { Command } from './command.ts';
import { withService } from './workbench.ts';

export const serve: Command = {
  name: 'serve',
  summary: 'open the workbench to a browser on this machine',
  options: [{ name: 'port', value: 'PORT', help: 'a port of 127.0.0.1; a free one by default' }],

  async run(given, context) {
    const port = readPort(given.optional('port'));
    const { signal, installation } = context;
    await withService(context, async (service) => {
      const server = await startServer({ service, members: serviceMembers, rendererFolder: installation.rendererFolder, port });
      context.print({ url: server.url, port: server.port }, server.url);
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      await server.close();
    });
  },
};

function readPort(text: string | undefined): number {
  if (text === undefined) return 0;
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65535) return Number(text);
  throw new HopscopeError('BadArguments', `--port ${text}: a whole number from 0 to 65535 is expected; 0 takes a free one.`);
}
