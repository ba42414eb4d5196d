/**
 * Starts the screens: finds the host, then mounts the frame. In Electron the host arrives as a message port, in a browser
 * behind a WebSocket whose token is in the address; nothing above this file knows which.
 */
import { mount } from 'svelte';
import App from './App.svelte';
import { Connection } from './state/connection.svelte.ts';
import { followToken, openSocket, receivePort, takeToken } from './state/open-port.ts';
import { Router } from './state/router.svelte.ts';
import { Theme } from './state/theme.svelte.ts';
import { Workbench } from './state/workbench.ts';
import { loadFonts } from './styles/fonts.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/shared.css';

const theme = new Theme(window);
let token = takeToken(window);
const connection = new Connection(() => (token === null ? receivePort(window) : openSocket(window, token)));
followToken(window, (given) => {
  token = given;
  connection.retryNow();
});

await loadFonts(document);
mount(App, {
  target: document.getElementById('app')!,
  props: { workbench: new Workbench(connection, new Router(window), theme, window) },
});
