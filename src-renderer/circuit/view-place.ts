/**
 * Where a drawing lies in its frame: fitted, zoomed around a point, moved, and moved so that a point is in sight.
 * It knows sizes only; what moves it is CircuitCanvas's business.
 */

/** Where the drawing's origin lies in the frame, in pixels, and pixels for one of its units. */
export interface ViewPlace {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

/** A frame with room for names at its left and top, in pixels. */
export interface Frame {
  width: number;
  height: number;
  left: number;
  top: number;
}

const zooms = { smallest: 0.2, fitted: 1.15, largest: 3 };
/** Between the drawing and the frame's far sides, and between a point in sight and any side. */
const margins = { far: 14, point: 30 };

/** All of a drawing in sight, in the middle. */
export function fitted(size: { width: number; height: number }, { width, height, left, top }: Frame): ViewPlace {
  const [across, down] = [width - left - margins.far, height - top - margins.far];
  const zoom = Math.max(zooms.smallest, Math.min(zooms.fitted, across / size.width, down / size.height));
  return { x: left + Math.max(0, (across - zoom * size.width) / 2), y: top, zoom };
}

/** What lies at a point of the frame stays there. */
export function zoomed(place: ViewPlace, factor: number, at: { x: number; y: number }): ViewPlace {
  const zoom = Math.max(zooms.smallest, Math.min(zooms.largest, place.zoom * factor));
  const scale = zoom / place.zoom;
  return { x: at.x - scale * (at.x - place.x), y: at.y - scale * (at.y - place.y), zoom };
}

export function moved(place: ViewPlace, dx: number, dy: number): ViewPlace {
  return { ...place, x: place.x + dx, y: place.y + dy };
}

/** Moved no further than it takes to have a point of the drawing in sight. */
export function showing(place: ViewPlace, point: { x: number; y: number }, { width, height, left, top }: Frame): ViewPlace {
  const into = (value: number, from: number, to: number) =>
    Math.max(0, from + margins.point - value) - Math.max(0, value - to + margins.point);
  const [x, y] = [place.x + place.zoom * point.x, place.y + place.zoom * point.y];
  return moved(place, into(x, left, width), into(y, top, height));
}
