/**
 * Stored pictures of screens and their comparison with what is drawn now, at half size, where machines that smooth edges
 * differently still agree. It knows nothing of screens.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import pixelmatch from 'pixelmatch';
import { PNG } from 'pngjs';

const folder = join(import.meta.dirname, 'looks');

/**
 * Shapes: pixels at half size that differ by more than this (in pixelmatch's 0 to 1), and the share of them that may. Another smoothing
 * of all letters makes 0.2 % differ, one pixel more between things 3 % and more.
 */
const shapes = { threshold: 0.1, tolerated: 0.005 };

/**
 * Colours: fields of 16 pixels a side whose mean differs by more than this in red, green or blue (of 255), and the share of them that
 * may. Another smoothing leaves means alone (0.1 %); another accent changes 0.7 % and more, another background 20 %.
 */
const colours = { field: 8, threshold: 6, tolerated: 0.003 };

/** Keeps a screenshot (a PNG file's bytes) as what that picture is to look like. */
export function storePicture(name: string, screenshot: Buffer): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(stored(name), encode(half(screenshot)));
}

/** Names of the stored pictures. */
export function storedPictures(): string[] {
  return existsSync(folder) ? readdirSync(folder).map((file) => file.replace(/\.png$/, '')) : [];
}

export function dropPicture(name: string): void {
  rmSync(stored(name));
}

/**
 * What is wrong with a screenshot, or null. Where it differs, the picture as it is and one of the differences are written to
 * `scratch` as NAME-actual.png and NAME-difference.png.
 */
export function comparePicture(name: string, screenshot: Buffer, scratch: string): string | null {
  if (!existsSync(stored(name))) return `${name}: no picture of it is stored`;
  const [expected, actual] = [PNG.sync.read(readFileSync(stored(name))), half(screenshot)];
  const { width, height } = expected;
  if (actual.width !== width || actual.height !== height)
    return `${name}: ${actual.width} × ${actual.height} at half size, stored is ${width} × ${height}`;
  const difference = new PNG({ width, height });
  const pixels = pixelmatch(expected.data, actual.data, difference.data, width, height, { threshold: shapes.threshold });
  const [shape, colour] = [pixels / (width * height), differingFields(expected, actual)];
  const wrong = [
    ...(shape > shapes.tolerated ? [`${percent(shape)} of its pixels (tolerated: ${percent(shapes.tolerated)})`] : []),
    ...(colour > colours.tolerated
      ? [`the colours of ${percent(colour)} of its fields (tolerated: ${percent(colours.tolerated)})`]
      : []),
  ];
  if (wrong.length === 0) return null;
  mkdirSync(scratch, { recursive: true });
  writeFileSync(join(scratch, `${name}-actual.png`), encode(actual));
  writeFileSync(join(scratch, `${name}-difference.png`), encode(difference));
  return `${name} differs in ${wrong.join(' and in ')}; see ${join(scratch, `${name}-difference.png`)}`;
}

/** Share of the fields whose mean colour differs. */
function differingFields(one: PNG, other: PNG): number {
  const { field, threshold } = colours;
  const [columns, rows] = [Math.floor(one.width / field), Math.floor(one.height / field)];
  let count = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const sums = [0, 0, 0];
      for (let y = row * field; y < (row + 1) * field; y++) {
        for (let x = column * field; x < (column + 1) * field; x++) {
          const at = 4 * (y * one.width + x);
          for (let channel = 0; channel < 3; channel++) sums[channel]! += one.data[at + channel]! - other.data[at + channel]!;
        }
      }
      if (sums.some((sum) => Math.abs(sum) > threshold * field * field)) count++;
    }
  }
  return count / (columns * rows);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

function stored(name: string): string {
  return join(folder, `${name}.png`);
}

/** Each pixel the mean of four. */
function half(screenshot: Buffer): PNG {
  const { width, height, data } = PNG.sync.read(screenshot);
  const small = new PNG({ width: width >> 1, height: height >> 1 });
  const row = 4 * width;
  for (let y = 0; y < small.height; y++) {
    for (let x = 0; x < small.width; x++) {
      const [from, to] = [2 * y * row + 8 * x, 4 * (y * small.width + x)];
      for (let at = 0; at < 4; at++) {
        const place = from + at;
        small.data[to + at] = (data[place]! + data[place + 4]! + data[place + row]! + data[place + row + 4]!) >> 2;
      }
    }
  }
  return small;
}

/** As a PNG file with a palette, which pngjs reads but does not write: half the size. */
function encode({ width, height, data }: PNG): Buffer {
  const colourAt = (pixel: number) => (data[4 * pixel]! << 16) | (data[4 * pixel + 1]! << 8) | data[4 * pixel + 2]!;
  const counts = new Map<number, number>();
  for (let pixel = 0; pixel < width * height; pixel++) counts.set(colourAt(pixel), (counts.get(colourAt(pixel)) ?? 0) + 1);
  const palette = paletteOf(counts);
  const places = nearestPlaces(palette, counts.keys());
  // Each line begins with its filter: none.
  const lines = Buffer.alloc(height * (width + 1));
  for (let pixel = 0; pixel < width * height; pixel++)
    lines[pixel + Math.floor(pixel / width) + 1] = places.get(colourAt(pixel))!;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3], 8); // 8 bits a pixel, places in a palette
  const colours = Buffer.from(palette.flatMap((colour) => partsOf(colour)));
  const parts = [chunk('IHDR', header), chunk('PLTE', colours), chunk('IDAT', deflateSync(lines, { level: 9 }))];
  return Buffer.concat([signature, ...parts, chunk('IEND', Buffer.alloc(0))]);
}

function partsOf(colour: number): [red: number, green: number, blue: number] {
  return [colour >> 16, (colour >> 8) & 255, colour & 255];
}

/** 256 colours at most: the commonest as they are, which are those of surfaces and letters, and the commonest of all rounded ones. */
function paletteOf(counts: ReadonlyMap<number, number>): number[] {
  const rounded = new Map<number, number>();
  for (const [colour, count] of counts) {
    const [red, green, blue] = partsOf(colour).map((part) => (part & 0xf8) | 4);
    const place = (red! << 16) | (green! << 8) | blue!;
    rounded.set(place, (rounded.get(place) ?? 0) + count);
  }
  const common = (of: ReadonlyMap<number, number>) => [...of].sort(([, one], [, other]) => other - one).map(([colour]) => colour);
  return [...new Set([...common(counts).slice(0, 64), ...common(rounded)])].slice(0, 256);
}

/** Place in a palette of the colour nearest to each of those given. */
function nearestPlaces(palette: readonly number[], colours: Iterable<number>): Map<number, number> {
  const parts = palette.map(partsOf);
  const places = new Map(palette.map((colour, place) => [colour, place]));
  for (const colour of colours) {
    if (places.has(colour)) continue;
    const [red, green, blue] = partsOf(colour);
    let [best, least] = [0, Number.POSITIVE_INFINITY];
    for (let place = 0; place < parts.length; place++) {
      const [r, g, b] = parts[place]!;
      const distance = (r - red) ** 2 + (g - green) ** 2 + (b - blue) ** 2;
      if (distance < least) [best, least] = [place, distance];
    }
    places.set(colour, best);
  }
  return places;
}

const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
