/**
 * A drawing as a PNG file, painted by the browser, with its size on paper and its caption inside. It needs a page; everything else about figures does not.
 */
import { HopscopeError } from '../../src-main/shared/errors.ts';
import { millimetresPerUnit, pixelsPerUnit } from './style.ts';
import type { SvgFile } from './svg.ts';

const pixelsPerPixel = 2;

const pixelsPerMetre = (1000 * pixelsPerUnit * pixelsPerPixel) / millimetresPerUnit;

/** PNG of an SVG text with twice its pixels. Errors: `Unpaintable` where the browser refuses. */
export async function pngOf({ text, width, height, title, description }: SvgFile): Promise<Blob> {
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
    if (blob !== null) {
      const texts = { Title: title, Description: description, Software: 'Hopscope' };
      return new Blob([withDensity(withTexts(new Uint8Array(await blob.arrayBuffer()), texts))], { type: 'image/png' });
    }
  } catch {
    // Said below: the reasons a browser gives are not for people.
  } finally {
    URL.revokeObjectURL(address);
  }
  throw new HopscopeError('Unpaintable', 'The figure could not be painted as a PNG here; save it as SVG instead.', 'failure');
}

/** Signature (8 bytes) and the header chunk (25), after which density and texts may stand (PNG specification, section 5.6). */
const headerLength = 33;

/** The file with a `pHYs` chunk, so that word processors place it at its width on paper. */
export function withDensity(png: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(9);
  const view = new DataView(data.buffer);
  view.setUint32(0, pixelsPerMetre);
  view.setUint32(4, pixelsPerMetre);
  data[8] = 1; // the unit is the metre
  return afterHeader(png, [chunk('pHYs', data)]);
}

/** The file with texts under their keywords (`Title`, `Description`, ...): `tEXt` where Latin-1 has all letters, else `iTXt` (section 11.3.3). */
export function withTexts(png: Uint8Array<ArrayBuffer>, texts: { readonly [keyword: string]: string }): Uint8Array<ArrayBuffer> {
  const chunks = Object.entries(texts).map(([keyword, text]) => {
    const isLatin = [...text].every((letter) => letter.charCodeAt(0) < 256);
    if (isLatin)
      return chunk(
        'tEXt',
        Uint8Array.from(`${keyword}\0${text}`, (letter) => letter.charCodeAt(0)),
      );
    // Not compressed, no language, no translated keyword
    return chunk('iTXt', new TextEncoder().encode(`${keyword}\0\0\0\0\0${text}`));
  });
  return afterHeader(png, chunks);
}

function afterHeader(png: Uint8Array<ArrayBuffer>, chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const parts = [png.subarray(0, headerLength), ...chunks, png.subarray(headerLength)];
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let place = 0;
  for (const part of parts) {
    result.set(part, place);
    place += part.length;
  }
  return result;
}

/** Length of the data, type, data, checksum of type and data. */
function chunk(type: string, data: Uint8Array): Uint8Array {
  const made = new Uint8Array(12 + data.length);
  const view = new DataView(made.buffer);
  view.setUint32(0, data.length);
  made.set(new TextEncoder().encode(type), 4);
  made.set(data, 8);
  view.setUint32(8 + data.length, checksum(made.subarray(4, 8 + data.length)));
  return made;
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
