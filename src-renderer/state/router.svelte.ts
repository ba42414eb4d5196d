/**
 * The address after `#` as state, so that every screen can be reloaded, bookmarked and gone back to.
 * It knows the form of addresses, not what is shown there (screens.ts does).
 */

/** `/runs/abc?tab=facts` as parts. */
export interface Address {
  path: string;
  query: URLSearchParams;
}

/** Reads what follows `#`; anything that is no path is home. */
export function readAddress(hash: string): Address {
  const text = hash.replace(/^#/, '');
  if (!text.startsWith('/')) return { path: '/', query: new URLSearchParams() };
  const mark = text.indexOf('?');
  const path = mark < 0 ? text : text.slice(0, mark);
  return {
    path: path.length > 1 ? path.replace(/\/+$/, '') || '/' : path,
    query: new URLSearchParams(mark < 0 ? '' : text.slice(mark + 1)),
  };
}

/** The `:name` parts of `path` where it has the form of `address`, else null. */
export function matchAddress(address: string, path: string): { [name: string]: string } | null {
  const wanted = address.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return null;
  const parameters: { [name: string]: string } = {};
  for (const [index, part] of wanted.entries()) {
    const actual = given[index] ?? '';
    if (part.startsWith(':') && actual !== '') parameters[part.slice(1)] = decode(actual);
    else if (part !== actual) return null;
  }
  return parameters;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a lone % typed by hand
  }
}

/** Follows `location.hash` from construction until `close`. */
export class Router {
  #address = $state.raw<Address>(readAddress(''));
  #window: Window;

  constructor(view: Window) {
    this.#window = view;
    this.#follow();
    view.addEventListener('hashchange', this.#follow);
  }

  get path(): string {
    return this.#address.path;
  }

  get query(): URLSearchParams {
    return this.#address.query;
  }

  /** Goes to an address such as `/runs/abc`. */
  go(address: string): void {
    this.#window.location.hash = address;
  }

  close(): void {
    this.#window.removeEventListener('hashchange', this.#follow);
  }

  #follow = (): void => {
    this.#address = readAddress(this.#window.location.hash);
  };
}

/** The address of a run's circuit explorer; with `circuit`, the number of one that is saved, it opens that one. */
export function circuitAddress(run: string, circuit?: string): string {
  return `${runAddress(run)}/circuit${circuit === undefined ? '' : `?circuit=${encodeURIComponent(circuit)}`}`;
}

/** The address of a run's screen. */
export function runAddress(run: string): string {
  return `/runs/${encodeURIComponent(run)}`;
}

/** Where an experiment is set up. */
export function experimentAddress(experiment: string): string {
  return `/new/${encodeURIComponent(experiment)}`;
}

/** Where a saved spec is looked through, changed and started. */
export function specAddress({ id, spec }: { id: number; spec: { experiment: string } }): string {
  return `${experimentAddress(spec.experiment)}?spec=${id}`;
}

/** Where a run is set up again, with its settings. */
export function againAddress({ run, experiment }: { run: string; experiment: string }): string {
  return `${experimentAddress(experiment)}?from=${encodeURIComponent(run)}`;
}

/** The address of one item of a run; `item` is its index. */
export function itemAddress(run: string, set: string, item: number): string {
  return `${runAddress(run)}/items/${encodeURIComponent(set)}/${item}`;
}
