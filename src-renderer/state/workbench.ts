/**
 * What every component may reach without being handed it: the host's service, the connection, the address and the theme.
 * State of a single screen does not belong here.
 */
import { createContext } from 'svelte';
import type { Service } from '../../src-main/shared/contract.ts';
import type { Connection } from './connection.svelte.ts';
import type { Router } from './router.svelte.ts';
import type { Theme } from './theme.svelte.ts';

export class Workbench {
  readonly connection: Connection;
  readonly router: Router;
  readonly theme: Theme;

  constructor(connection: Connection, router: Router, theme: Theme) {
    this.connection = connection;
    this.router = router;
    this.theme = theme;
  }

  /** The host. Screens are shown from the first connection on, so they always have one; an effect that reads it runs again when it is replaced. */
  get service(): Service {
    const { service } = this.connection;
    if (service === null) throw new Error('A screen was shown before the first connection.');
    return service;
  }
}

export const [getWorkbench, setWorkbench] = createContext<Workbench>();
