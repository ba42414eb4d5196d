/**
 * The built workbench opens in both shells: its screens are there, nothing complains, nothing leaves the machine.
 * The way to a finished run is in first-experiment.test.ts.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inPage, shells, type Workbench } from './app.ts';

describe.each(shells)('the workbench in the $name', ({ open }) => {
  let workbench: Workbench;

  beforeAll(async () => {
    workbench = await open();
  });
  afterAll(() => workbench?.close());

  test('opens on Home and reaches the host', async () => {
    const { page } = workbench;
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.getByRole('link', { name: 'Set up your first experiment' }).waitFor();
    // The model's facts come from the host, through compute.
    await page.getByText('Vocabulary').waitFor();
    await expect.poll(() => page.title()).toBe('Hopscope');
  });

  test.each(['New experiment', 'Runs', 'Settings', 'Home'])('%s is reached from the navigation', async (name) => {
    const { page } = workbench;
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name, exact: true }).click();
    await page.getByRole('heading', { level: 1 }).waitFor();
    await expect.poll(() => page.locator('[aria-current=page]').textContent()).toContain(name);
  });

  test('the token is in no address, and the page has no way into Node', async () => {
    expect(workbench.page.url()).not.toContain('t=');
    expect(await inPage(workbench.page, '[typeof require, typeof process, typeof module, typeof Buffer].join()')).toBe(
      'undefined,undefined,undefined,undefined',
    );
  });

  test('nothing complained, nothing left the machine', () => {
    expect(workbench.problems).toEqual([]);
    expect(workbench.outside).toEqual([]);
  });

  test('what is not its own is refused: requests, scripts from text, inline styles', async () => {
    const { page } = workbench;
    expect(await inPage(page, "fetch('https://example.com/').then(() => 'went', () => 'refused')")).toBe('refused');
    expect(
      await inPage(
        page,
        "new Promise((resolve) => { const image = new Image(); image.onload = () => resolve('went'); image.onerror = () => resolve('refused'); image.src = 'https://example.com/x.png'; })",
      ),
    ).toBe('refused');
    expect(
      await inPage(
        page,
        "(() => { try { document.createElement('div').innerHTML = '<b>x</b>'; return 'went'; } catch { return 'refused'; } })()",
      ),
    ).toBe('refused');
    expect(
      await inPage(
        page,
        "(() => { const script = document.createElement('script'); try { script.text = 'window.ran = 1'; } catch { return 'refused'; } document.body.append(script); return window.ran ? 'went' : 'refused'; })()",
      ),
    ).toBe('refused');
    expect(
      await inPage(
        page,
        "(() => { const style = document.createElement('style'); style.textContent = 'body { color: rgb(9, 8, 7) }'; document.head.append(style); return getComputedStyle(document.body).color; })()",
      ),
    ).not.toBe('rgb(9, 8, 7)');
  });
});
