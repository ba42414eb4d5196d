/**
 * The Electron window is hardened as it says, read back from the running program, and outlives its host.
 * Decisions that need no Electron are tested in test/shell.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ElectronApplication } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandLine, inPage, openInWindow, shells, type WindowWorkbench } from './app.ts';

// Left out where HOPSCOPE_SHELL asks for the browser alone
describe.skipIf(!shells.some(({ name }) => name === 'window'))('the window', () => {
  let workbench: WindowWorkbench;
  let application: ElectronApplication;

  beforeAll(async () => {
    workbench = await openInWindow();
    application = workbench.application;
    await workbench.page.getByRole('heading', { level: 1 }).waitFor();
  });
  afterAll(() => workbench?.close());

  // Electron reports some of them only; what it is given is tested in test/shell/window-policy.test.ts.
  test('has the web preferences it was given', async () => {
    const preferences = await application.evaluate(({ webContents }) => {
      const [contents] = webContents.getAllWebContents();
      return (contents as unknown as { getLastWebPreferences(): Record<string, unknown> }).getLastWebPreferences();
    });
    expect(preferences).toMatchObject({
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      webviewTag: false,
    });
  });

  test('is at least 1024 x 700', async () => {
    const smallest = await application.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.getMinimumSize());
    expect(smallest).toEqual([1024, 700]);
  });

  test('serves its page with the policy as a header', async () => {
    const policy = await inPage(workbench.page, "fetch('/').then((answer) => answer.headers.get('content-security-policy'))");
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("connect-src 'self';");
    expect(await inPage(workbench.page, "fetch('/missing').then((answer) => answer.status)")).toBe(404);
    expect(await inPage(workbench.page, "fetch('app://bundle/../main/main.cjs').then((answer) => answer.status)")).toBe(404);
    expect(await inPage(workbench.page, "fetch('app://other/').then(() => 'went', () => 'refused')")).toBe('refused');
    expect(await inPage(workbench.page, "fetch('file:///etc/passwd').then(() => 'went', () => 'refused')")).toBe('refused');
  });

  test('can be reloaded again and again, on any screen', async () => {
    const { page } = workbench;
    const crashes: string[] = [];
    page.on('crash', () => crashes.push('crash'));
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Runs', exact: true }).click();
    for (let time = 0; time < 3; time++) {
      await workbench.reload();
      await expect.poll(() => page.locator('[aria-current=page]').textContent()).toContain('Runs');
      await page.getByText('No runs yet').first().waitFor();
    }
    expect(crashes).toEqual([]);
  });

  test('shows every screen, by its navigation and its palette, without a complaint', async () => {
    const { page, dataFolder, problems, outside } = workbench;
    // What the test of the policy asked for was refused, and said so.
    const before = problems.length;
    const spec = join(dataFolder, 'spec.yaml');
    writeFileSync(spec, 'experiment: extractive-scores\nmodel: small-world\ndataset: first-hop\nseeds: [0]\nepochs: 1\n');
    const { run } = (await commandLine(['run', spec], dataFolder)) as { run: string };
    const heading = (name: string | RegExp) => page.getByRole('heading', { level: 1, name }).waitFor();

    const navigation = page.getByRole('navigation', { name: 'Main' });
    for (const name of ['New experiment', 'Runs', 'Compare', 'Circuits', 'Projects', 'Models', 'Data sets', 'Settings']) {
      await navigation.getByRole('link', { name, exact: true }).click();
      await heading(name);
    }
    const command = async (name: string) => {
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox', { name: 'Command or search' }).fill(name);
      await page
        .getByRole('option', { name: new RegExp(`^${name}`) })
        .first()
        .click();
      await page.getByRole('dialog', { name: 'Command palette' }).waitFor({ state: 'detached' });
    };
    await command('Models');
    await page.getByRole('link', { name: 'Small world' }).click();
    await heading('Small world');
    await command('Data sets');
    await page.getByRole('button', { name: 'New data set' }).first().click();
    await page.getByRole('menuitem', { name: /^First hop/ }).click();
    await page.getByRole('grid', { name: 'Facts and implications' }).waitFor();

    const go = (address: string) => inPage(page, `location.hash = ${JSON.stringify(address)}`);
    await go(`/runs/${run}/items/implications/0`);
    await page.getByRole('heading', { name: 'Rank of this item by epoch' }).waitFor();
    await command('Circuits');
    await page.getByRole('main').getByRole('table').getByRole('link').first().click();
    await page.getByRole('application', { name: /^Downstream scores/ }).waitFor();
    await go(`/compare?runs=${run}`);
    await page.getByText('One run alone has nothing to be compared with.').waitFor();
    expect(problems.slice(before)).toEqual([]);
    expect(outside).toEqual([]);
  });

  // After this one Playwright takes the refused navigations for unfinished: what follows asks the page itself.
  test('opens no window, goes nowhere, is given no permission', async () => {
    const { page } = workbench;
    expect(await inPage(page, "String(window.open('https://example.com/'))")).toBe('null');
    await inPage(page, "location.href = 'https://example.com/'");
    await inPage(page, "location.href = 'data:text/html,elsewhere'");
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(page.url()).toMatch(/^app:\/\/bundle\//);
    expect(await application.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1);
    expect(await inPage(page, 'Notification.requestPermission()')).toBe('denied');
    expect(await inPage(page, "navigator.mediaDevices.getUserMedia({ audio: true }).then(() => 'given', () => 'refused')")).toBe(
      'refused',
    );
  });

  test('says so when the host dies, and gives the page a new one', async () => {
    const { page } = workbench;
    await inPage(
      page,
      `(() => {
      window.heard = [];
      window.addEventListener('message', (event) => window.heard.push(event.data?.type));
    })()`,
    );
    const killed = await application.evaluate(() => {
      const handles = (
        process as unknown as { _getActiveHandles(): { pid?: number; spawnargs?: string[] }[] }
      )._getActiveHandles();
      const host = handles.find((handle) => handle.spawnargs?.includes('--host-process'));
      if (host?.pid) process.kill(host.pid, 'SIGKILL');
      return host?.pid ?? null;
    });
    const nodeVersion = Number((await application.evaluate(() => process.versions.node)).split('.')[0]);
    if (nodeVersion >= 22) return; // There the host is a utility process, of which no handle is to be had.
    expect(killed).not.toBeNull();
    await expect.poll(() => inPage(page, 'window.heard.includes("hopscope-closed")')).toBe(true);
    await inPage(page, "window.postMessage({ type: 'hopscope-ready' }, location.origin)");
    await expect.poll(() => inPage(page, 'window.heard.includes("hopscope-port")')).toBe(true);
  });

  test('remembers its place, and leaves no process behind', async () => {
    const pids = await application.evaluate(() => {
      const handles = (
        process as unknown as { _getActiveHandles(): { pid?: number; spawnargs?: string[] }[] }
      )._getActiveHandles();
      return handles.filter((handle) => handle.spawnargs).map((handle) => handle.pid ?? 0);
    });
    await application.evaluate(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows()[0]?.setBounds({ x: 40, y: 50, width: 1100, height: 750 }),
    );
    const gone = application.waitForEvent('close');
    await application.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close());
    await gone;
    const bounds = JSON.parse(readFileSync(join(workbench.dataFolder, 'window', 'bounds.json'), 'utf8'));
    expect(bounds).toMatchObject({ width: 1100, height: 750, maximized: false });
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow();
  });
});
