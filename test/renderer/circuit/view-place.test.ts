/** A drawing in its frame: fitted, zoomed, moved, with a point in sight. */
import { describe, expect, it } from 'vitest';
import { fitted, moved, showing, zoomed } from '../../../src-renderer/circuit/view-place.ts';
import { CanvasView } from '../../../src-renderer/state/circuit-canvas.svelte.ts';

const frame = { width: 600, height: 400, left: 40, top: 80 };

describe('a drawing in its frame', () => {
  it('is fitted beside the names, in the middle, and never enlarged beyond reading', () => {
    expect(fitted({ width: 1092, height: 100 }, frame)).toEqual({ x: 40, y: 80, zoom: 0.5 });
    expect(fitted({ width: 100, height: 612 }, frame)).toEqual({ x: 40 + (546 - 50) / 2, y: 80, zoom: 0.5 });
    expect(fitted({ width: 10, height: 10 }, frame).zoom).toBe(1.15);
    expect(fitted({ width: 1e6, height: 10 }, frame).zoom).toBe(0.2);
    expect(fitted({ width: 0, height: 0 }, frame)).toEqual({ x: 40 + 546 / 2, y: 80, zoom: 1.15 });
  });

  it('zooms around a point, within limits', () => {
    const at = { x: 300, y: 200 };
    const place = zoomed({ x: 100, y: 50, zoom: 1 }, 2, at);
    expect(place).toEqual({ x: -100, y: -100, zoom: 2 });
    expect((at.x - place.x) / place.zoom).toBe(200);
    expect(zoomed(place, 100, at).zoom).toBe(3);
    expect(zoomed(place, 0.001, at).zoom).toBe(0.2);
    expect(moved(place, 5, -5)).toEqual({ x: -95, y: -105, zoom: 2 });
  });

  it('brings a point into sight by the shortest way, and stays where it is in sight', () => {
    const place = { x: 40, y: 80, zoom: 1 };
    expect(showing(place, { x: 100, y: 100 }, frame)).toEqual(place);
    expect(showing(place, { x: 700, y: 100 }, frame)).toEqual({ ...place, x: 40 - (740 - 570) });
    expect(showing(place, { x: 0, y: -100 }, frame)).toEqual({ zoom: 1, x: 70, y: 80 + (110 + 20) });
  });
});

describe('the pointer', () => {
  const pointer = (clientX: number, clientY: number) => ({ clientX, clientY });

  it('drags the drawing from where it was pressed, and a press that hardly moves is a click', () => {
    const view = new CanvasView(() => frame);
    view.fit({ width: 10, height: 10 });
    const { x, y } = view.place;
    expect(view.drag(pointer(500, 300))).toBe(false); // not pressed
    view.press(pointer(100, 100));
    expect([view.drag(pointer(102, 101)), view.release(), view.place.x]).toEqual([false, false, x]);
    view.press(pointer(100, 100));
    expect([view.drag(pointer(110, 100)), view.drag(pointer(101, 95))]).toEqual([true, false]);
    expect([view.place.x, view.place.y]).toEqual([x + 1, y - 5]);
    expect([view.release(), view.release()]).toEqual([true, false]);
    expect([view.drag(pointer(300, 300)), view.place.x]).toEqual([false, x + 1]);
  });

  it('zooms around the middle of the frame, or around itself', () => {
    const view = new CanvasView(() => frame);
    view.zoom(2);
    expect(view.place).toEqual({ x: -300, y: -200, zoom: 2 });
    view.zoom(0.5, { x: 0, y: 0 });
    expect(view.place).toEqual({ x: -150, y: -100, zoom: 1 });
    view.move(5, 0);
    view.reveal({ x: -100, y: 300 });
    expect(view.place.x).toBe(40 + 30 + 100);
  });
});
