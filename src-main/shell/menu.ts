/**
 * The application menu as a plain template: the platform's usual entries, and where the data lies.
 * Commands of the workbench itself are on its screens, not here.
 */

/** The parts of Electron's menu template that are used. */
export interface MenuEntry {
  label?: string;
  role?:
    | 'appMenu'
    | 'editMenu'
    | 'windowMenu'
    | 'quit'
    | 'close'
    | 'reload'
    | 'resetZoom'
    | 'zoomIn'
    | 'zoomOut'
    | 'togglefullscreen'
    | 'toggleDevTools';
  type?: 'separator';
  click?: () => void;
  submenu?: MenuEntry[];
}

/** `openDataFolder` shows the data folder in the file manager. Developer tools are listed only where the window has them. */
export function menuTemplate(platform: string, packaged: boolean, openDataFolder: () => void): MenuEntry[] {
  const mac = platform === 'darwin';
  return [
    ...(mac ? [{ role: 'appMenu' } as const] : []),
    {
      label: 'File',
      submenu: [{ label: 'Open data folder', click: openDataFolder }, { type: 'separator' }, { role: mac ? 'close' : 'quit' }],
    },
    { role: 'editMenu' },
    {
      label: 'View',
      submenu: [
        { role: 'reload' },
        { type: 'separator' },
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { type: 'separator' },
        { role: 'togglefullscreen' },
        ...(packaged ? [] : [{ role: 'toggleDevTools' } as const]),
      ],
    },
    { role: 'windowMenu' },
  ];
}
