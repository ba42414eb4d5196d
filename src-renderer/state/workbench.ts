/**
 * What every component may reach without being handed it: connection, address and theme.
 * State of a single screen does not belong here.
 */
import { createContext } from 'svelte';
import type { Connection } from './connection.svelte.ts';
import type { Router } from './router.svelte.ts';
import type { Theme } from './theme.svelte.ts';

export interface Workbench {
  connection: Connection;
  router: Router;
  theme: Theme;
}

export const [getWorkbench, setWorkbench] = createContext<Workbench>();
