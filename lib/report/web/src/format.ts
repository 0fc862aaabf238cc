// Numbers, times and words as a reader in England and Wales expects them.
import { h } from './dom';
import { theSummary } from './data';

const numbers = new Intl.NumberFormat('en-GB');
export const n = (value: number | undefined): string => numbers.format(value ?? 0);
export const plural = (value: number, one: string, many: string): string => `${n(value)} ${value === 1 ? one : many}`;

export function bytes(size: number | undefined): string {
  if (size === undefined) return '';
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = size;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? plural(size, 'byte', 'bytes') : `${value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

export function zone(): string {
  return theSummary().case.time_zone ?? 'Europe/London';
}

const formats = new Map<string, Intl.DateTimeFormat>();
function format(kind: 'full' | 'day' | 'clock'): Intl.DateTimeFormat {
  let found = formats.get(kind);
  if (found) return found;
  const options: Intl.DateTimeFormatOptions =
    kind === 'full'
      ? { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'short' }
      : kind === 'day'
        ? { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }
        : { hour: '2-digit', minute: '2-digit', second: '2-digit' };
  try {
    found = new Intl.DateTimeFormat('en-GB', { ...options, timeZone: zone() });
  } catch {
    found = new Intl.DateTimeFormat('en-GB', { ...options, timeZone: 'UTC' });
  }
  formats.set(kind, found);
  return found;
}

function moment(us: number, kind: 'full' | 'day' | 'clock'): string {
  const date = new Date(Math.floor(us / 1000));
  return Number.isNaN(date.getTime()) ? `out of range (${us} µs)` : format(kind).format(date);
}
export const dayOf = (us: number): string => moment(us, 'day');
export const clockOf = (us: number): string => moment(us, 'clock');
export const timeText = (us: number): string => moment(us, 'full');

function utc(us: number): string {
  const date = new Date(Math.floor(us / 1000));
  return Number.isNaN(date.getTime()) ? '' : date.toISOString();
}

export function basisTag(basis: string | undefined): HTMLElement | null {
  if (basis !== 'assumed') return null;
  return h(
    'span',
    { class: 'tag assumed', title: `Stored without a time zone; read as the time of the device, assumed to be ${zone()}` },
    'zone assumed',
  );
}

export function time(us: number | undefined, basis?: string): HTMLElement {
  if (us === undefined) return h('span', { class: 'muted' }, 'time unknown');
  return h('span', { class: 'time', title: utc(us) }, timeText(us), basis === 'assumed' ? ' ' : null, basisTag(basis));
}

export const kBands = ['critical', 'high', 'medium', 'low'];
export const kLanes: { [lane: string]: { title: string; text: string } } = {
  towards: { title: 'Towards', text: 'What may support the allegation' },
  away: { title: 'Away', text: 'What may undermine the case or assist the defence' },
};
export const kStates = ['examined', 'partly_examined', 'failed', 'timed_out', 'encrypted', 'unsupported', 'pending'];
const words: { [name: string]: string } = {
  partly_examined: 'partly examined',
  timed_out: 'timed out',
  partly_read: 'partly read',
  unknown_schema: 'unknown app version',
  model_missing: 'model missing',
};
export const word = (name: string | undefined): string => words[name ?? ''] ?? (name ?? '').replace(/_/g, ' ');
const kindWords: { [name: string]: string } = { item: 'file', content: 'file' };
export const kindWord = (name: string): string => kindWords[name] ?? word(name);
