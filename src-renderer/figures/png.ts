/**
 * A drawing as a PNG file, painted by the browser. It needs a page; everything else about figures does not.
 */
import { HopscopeError } from '../../src-main/shared/errors.ts';

const pixelsPerPixel = 2;

/** PNG of an SVG text with twice its pixels. Errors: `Unpaintable` where the browser refuses. */
export async function pngOf({ text, width, height }: { text: string; width: number; height: number }): Promise<Blob> {
  const address = URL.createObjectURL(new Blob([text], { type: 'image/svg+xml' }));
  try {
    const image = new Image(width, height);
    image.src = address;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = Math.round(width * pixelsPerPixel);
    canvas.height = Math.round(height * pixelsPerPixel);
    canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
    if (blob !== null) return blob;
  } catch {
    // Said below: the reasons a browser gives are not for people.
  } finally {
    URL.revokeObjectURL(address);
  }
  throw new HopscopeError('Unpaintable', 'The figure could not be painted as a PNG here; save it as SVG instead.', 'failure');
}
