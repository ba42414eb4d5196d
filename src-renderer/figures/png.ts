/**
 * A drawing as a PNG file, painted by the browser, with its size on paper. It needs a page; everything else about figures does not.
 */
import { HopscopeError } from '../../src-main/shared/errors.ts';
import type { SvgFile } from './svg.ts';

const pixelsPerPixel = 2;

/** 1.5 pixels for a unit of 0.25 mm, twice: the pixels of a metre. */
const pixelsPerMetre = (1.5 * pixelsPerPixel) / 0.25e-3;

/** PNG of an SVG text with twice its pixels. Errors: `Unpaintable` where the browser refuses. */
export async function pngOf({ text, width, height }: SvgFile): Promise<Blob> {
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
    if (blob !== null) return new Blob([withDensity(new Uint8Array(await blob.arrayBuffer()))], { type: 'image/png' });
  } catch {
    // Said below: the reasons a browser gives are not for people.
  } finally {
    URL.revokeObjectURL(address);
  }
  throw new HopscopeError('Unpaintable', 'The figure could not be painted as a PNG here; save it as SVG instead.', 'failure');
}

/** Signature (8 bytes) and the header chunk (25), after which the density may stand (PNG specification, section 5.6). */
const headerLength = 33;

/** The file with a `pHYs` chunk, so that word processors place it at its width on paper. */
export function withDensity(png: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const chunk = new Uint8Array(21);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, 9); // length of the data
  chunk.set(new TextEncoder().encode('pHYs'), 4);
  view.setUint32(8, pixelsPerMetre);
  view.setUint32(12, pixelsPerMetre);
  chunk[16] = 1; // the unit is the metre
  view.setUint32(17, checksum(chunk.subarray(4, 17)));
  const result = new Uint8Array(png.length + chunk.length);
  result.set(png.subarray(0, headerLength));
  result.set(chunk, headerLength);
  result.set(png.subarray(headerLength), headerLength + chunk.length);
  return result;
}

/** CRC-32 (ISO 3309), as PNG wants it over type and data. */
function checksum(bytes: Uint8Array): number {
  let rest = 0xffffffff;
  for (const byte of bytes) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  }
  return (rest ^ 0xffffffff) >>> 0;
}
