/**
 * What every component may reach without being handed it: the host's service, the connection, the address, the theme, the current
 * project, notices and the palette. State of a single screen does not belong here.
 */
import { createContext } from 'svelte';
import type { Service } from '../../src-main/shared/contract.ts';
import type { Connection } from './connection.svelte.ts';
import { Palette } from './palette.svelte.ts';
import { Projects } from './projects.svelte.ts';
import type { Router } from './router.svelte.ts';
import type { Theme } from './theme.svelte.ts';
import { Toasts } from './toasts.svelte.ts';

export class Workbench {
  readonly connection: Connection;
  readonly router: Router;
  readonly theme: Theme;
  readonly toasts: Toasts;
  readonly projects: Projects;
  readonly palette: Palette;

  constructor(connection: Connection, router: Router, theme: Theme, view: Window) {
    this.connection = connection;
    this.router = router;
    this.theme = theme;
    this.toasts = new Toasts();
    this.projects = new Projects(() => this.service, this.toasts);
    this.palette = new Palette(view);
  }

  /** The host. Screens are shown from the first connection on, so they always have one; an effect that reads it runs again when it is replaced. */
  get service(): Service {
    const { service } = this.connection;
    if (service === null) throw new Error('A screen was shown before the first connection.');
    return service;
  }
}

export const [getWorkbench, setWorkbench] = createContext<Workbench>();
