/**
 * Where the circuit's drawing lies in its frame, moved by the pointer, the wheel and buttons; and whether the pointer has dragged it.
 * The arithmetic is circuit/view-place.ts's; what a click on a part of the drawing does is CircuitCanvas's business.
 */
import { type Frame, fitted, moved, showing, type ViewPlace, zoomed } from '../circuit/view-place.ts';

/** Pixels within which a press that moves is still a click. */
const clickReach = 4;

type Pointer = Pick<PointerEvent, 'clientX' | 'clientY'>;

export class CanvasView {
  #place = $state.raw<ViewPlace>({ x: 0, y: 0, zoom: 1 });
  /** Where a drag began, and whether it has become one. */
  #drag: { x: number; y: number; from: ViewPlace; moved: boolean } | null = null;
  readonly #frame: () => Frame;

  constructor(frame: () => Frame) {
    this.#frame = frame;
  }

  get place(): ViewPlace {
    return this.#place;
  }

  /** Brings all of a drawing into sight. */
  fit(size: { width: number; height: number }): void {
    this.#place = fitted(size, this.#frame());
  }

  /** Around a point of the frame, its centre where none is given. */
  zoom(factor: number, at?: { x: number; y: number }): void {
    const { width, height } = this.#frame();
    this.#place = zoomed(this.#place, factor, at ?? { x: width / 2, y: height / 2 });
  }

  /** By so many pixels. */
  move(dx: number, dy: number): void {
    this.#place = moved(this.#place, dx, dy);
  }

  /** Keeps a point of the drawing in sight. */
  reveal(point: { x: number; y: number }): void {
    this.#place = showing(this.#place, point, this.#frame());
  }

  press({ clientX, clientY }: Pointer): void {
    this.#drag = { x: clientX, y: clientY, from: this.#place, moved: false };
  }

  /** The pointer moves while it is pressed; true where that has just become a drag. */
  drag({ clientX, clientY }: Pointer): boolean {
    const drag = this.#drag;
    if (drag === null) return false;
    const [dx, dy] = [clientX - drag.x, clientY - drag.y];
    if (!drag.moved && Math.hypot(dx, dy) < clickReach) return false;
    const begins = !drag.moved;
    drag.moved = true;
    this.#place = moved(drag.from, dx, dy);
    return begins;
  }

  /** Ends what `press` began; true where it was a drag, and so is no click. */
  release(): boolean {
    const dragged = this.#drag?.moved ?? false;
    this.#drag = null;
    return dragged;
  }

  /** Zooms with Ctrl and the wheel over an element, as a pinch arrives, too; plain wheels scroll the page. Returns how to stop. */
  wheelOver(element: SVGElement): () => void {
    const wheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return;
      // The page must not zoom with it
      event.preventDefault();
      const { left, top } = element.getBoundingClientRect();
      this.zoom(Math.exp(-event.deltaY / 300), { x: event.clientX - left, y: event.clientY - top });
    };
    element.addEventListener('wheel', wheel, { passive: false });
    return () => element.removeEventListener('wheel', wheel);
  }
}
