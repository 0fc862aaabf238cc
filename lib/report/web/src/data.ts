// The report's data: chunks that are classic scripts calling touchstone.register(). Nothing is loaded before it is
// shown; what was loaded longest ago is forgotten first, so memory does not grow with the case.
import type { Index, Preview, Summary } from './types';

const kKeptChunks = 32;

type Waiting = { resolve: (payload: unknown) => void; reject: (error: Error) => void };
const waiting = new Map<string, Waiting[]>();
const arrived = new Map<string, unknown>();
const kept = new Map<string, Promise<unknown>>();

declare global {
  interface Window {
    touchstone: { register(name: string, number: number, payload: unknown): void };
  }
}

window.touchstone = {
  register(name, number, payload) {
    const id = `${name}-${number}`;
    if (waiting.has(id)) arrived.set(id, payload);
  },
};

function inject(id: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    waiting.set(id, [{ resolve, reject }]);
    const script = document.createElement('script');
    script.charset = 'utf-8';
    const end = () => {
      const payload = arrived.get(id);
      const found = arrived.delete(id);
      waiting.delete(id);
      script.remove();
      if (found) resolve(payload);
      else reject(new Error(`report/data/${id}.js is missing or damaged. Copy the whole report folder, or write it again with "touchstone report".`));
    };
    script.onload = end;
    script.onerror = end;
    script.src = `data/${id}.js`;
    document.head.append(script);
  });
}

export function chunk<T>(name: string, number: number): Promise<T> {
  const id = `${name}-${number}`;
  let promise = kept.get(id);
  if (promise) kept.delete(id);
  else {
    promise = inject(id);
    promise.catch(() => kept.delete(id));
  }
  kept.set(id, promise);
  for (const oldest of kept.keys()) {
    if (kept.size <= kKeptChunks) break;
    kept.delete(oldest);
  }
  return promise as Promise<T>;
}

export class Dataset<T> {
  constructor(
    private readonly name: string,
    private readonly index: Index,
  ) {}

  get rows(): number {
    return this.index.rows;
  }
  get chunks(): number {
    return this.index.starts.length;
  }
  start(number: number): number {
    return this.index.starts[number] ?? this.rows;
  }
  load(number: number): Promise<T[]> {
    return chunk<T[]>(this.name, number);
  }
  /** Chunk that holds a row: the last one that starts at or before it. */
  holding(row: number): number {
    let low = 0;
    let high = this.chunks - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.start(middle) <= row) low = middle;
      else high = middle - 1;
    }
    return low;
  }
  async get(row: number): Promise<T | undefined> {
    if (row < 0 || row >= this.rows) return undefined;
    const number = this.holding(row);
    return (await this.load(number))[row - this.start(number)];
  }
  async range(from: number, to: number): Promise<T[]> {
    const out: T[] = [];
    const end = Math.min(to, this.rows);
    for (let row = Math.max(0, from); row < end; ) {
      const number = this.holding(row);
      const rows = await this.load(number);
      const first = this.start(number);
      const part = rows.slice(row - first, end - first);
      if (part.length === 0) break;
      out.push(...part);
      row += part.length;
    }
    return out;
  }
  async pick(places: number[]): Promise<T[]> {
    const out: T[] = [];
    for (const place of places) {
      const row = await this.get(place);
      if (row !== undefined) out.push(row);
    }
    return out;
  }
  /** Goes through rows [from, to), a chunk at a time, letting the page breathe; ends early when asked to stop. */
  async scan(
    each: (row: T, place: number) => void,
    progress: (done: number, all: number) => void,
    signal: AbortSignal,
    from = 0,
    to = this.rows,
  ): Promise<void> {
    for (let number = this.holding(from); number < this.chunks && this.start(number) < to; number++) {
      if (signal.aborted) return;
      const rows = await this.load(number);
      const first = this.start(number);
      rows.forEach((row, i) => {
        if (first + i >= from && first + i < to) each(row, first + i);
      });
      progress(Math.min(to, first + rows.length) - from, to - from);
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
}

let summary: Summary;

export async function loadSummary(): Promise<Summary> {
  summary = await chunk<Summary>('summary', 0);
  return summary;
}
export function theSummary(): Summary {
  return summary;
}
export function dataset<T>(name: string): Dataset<T> {
  return new Dataset<T>(name, summary.datasets[name] ?? { rows: 0, starts: [] });
}
/** The clear rendition. Only ever called when a person asks for this one picture. */
export function clearPicture(preview: Preview): Promise<string> {
  return chunk<string>('clear', preview.clear);
}
