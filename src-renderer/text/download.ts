/**
 * Hands a text or a picture to the user as a file, without a server.
 */

/** Starts a download of `content` under `name`. */
export function download(name: string, content: string | Blob, type: string): void {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The browser has taken the blob by the next turn; Electron asks for a place first, so leave it a while.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** A title as a file name: letters, digits and dashes. */
export function fileName(title: string, extension: string): string {
  return `${slugOf(title, 60) || 'hopscope'}.${extension}`;
}

/** Lower-case letters, digits and dashes of a text, `longest` of them at most; empty where it has none. */
export function slugOf(text: string, longest: number): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, longest);
}
