/**
 * The outlines of the workbench's icons, drawn on a 20 x 20 grid with a 1.6 stroke.
 */
export const icons = {
  home: 'M3 9.5 10 3.5l7 6M5 8.5V16.5h10V8.5M8.5 16.5v-4.5h3v4.5',
  add: 'M10 4v12M4 10h12',
  list: 'M4 5.5h12M4 10h12M4 14.5h8',
  settings:
    'M4 6h6M14 6h2M4 14h2M10 14h6M12 4.2a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6ZM8 12.2a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6Z',
  warning: 'M10 3.5 17.5 16.5h-15ZM10 8.5v3.6M10 14.2v.2',
  error: 'M10 2.8a7.2 7.2 0 1 1 0 14.4 7.2 7.2 0 0 1 0-14.4ZM10 6.4v4.4M10 13.4v.2',
  check: 'M4.5 10.5 8.5 14.5 15.5 6',
  cross: 'M5 5l10 10M15 5 5 15',
  copy: 'M7 7V3.5h9.5V13H13M3.5 7H13v9.5H3.5Z',
  download: 'M10 3.5v9M6.2 9 10 12.8 13.8 9M4 16.5h12',
  again: 'M15.8 8A6.2 6.2 0 1 0 16 11.5M16 4v4h-4',
  stop: 'M5.5 5.5h9v9h-9Z',
  trash: 'M4 6h12M8 6V4h4v2M5.5 6l.7 10.5h7.6L14.5 6M8.5 9v4.5M11.5 9v4.5',
  right: 'M8 5l5 5-5 5',
  down: 'M5 8l5 5 5-5',
} as const;

export type IconName = keyof typeof icons;
