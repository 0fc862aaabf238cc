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
      ? { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit' }
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

let parts: Intl.DateTimeFormat | undefined;
/** The case's wall clock as numbers. */
function clockParts(): Intl.DateTimeFormat {
  const options: Intl.DateTimeFormatOptions = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', hourCycle: 'h23' };
  try {
    parts ??= new Intl.DateTimeFormat('en-GB', { ...options, timeZone: zone() });
  } catch {
    parts = new Intl.DateTimeFormat('en-GB', { ...options, timeZone: 'UTC' });
  }
  return parts;
}

function moment(us: number, kind: 'full' | 'day' | 'clock'): string {
  const date = new Date(Math.floor(us / 1000));
  return Number.isNaN(date.getTime()) ? `out of range (${us} µs)` : format(kind).format(date);
}
export const dayOf = (us: number): string => moment(us, 'day');
export const clockOf = (us: number): string => moment(us, 'clock');
// As the reasons of leads have it (lib/ranking/case_context.cpp): BST or GMT in Britain, else the distance from UTC.
const kBritish = ['Europe/London', 'Europe/Belfast', 'Europe/Guernsey', 'Europe/Jersey', 'Europe/Isle_of_Man', 'GB'];

function zoneText(us: number): string {
  const date = new Date(Math.floor(us / 1000));
  if (Number.isNaN(date.getTime())) return '';
  const parts = clockParts().formatToParts(date);
  const part = (type: string) => Number(parts.find((one) => one.type === type)?.value ?? 0);
  const local = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'));
  const minutes = Math.round((local - Math.floor(date.getTime() / 60000) * 60000) / 60000);
  if (kBritish.includes(zone()) && (minutes === 0 || minutes === 60)) return minutes === 0 ? ' GMT' : ' BST';
  if (minutes === 0) return ' UTC';
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return ` UTC${minutes < 0 ? '-' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
}
export const timeText = (us: number): string => moment(us, 'full') + zoneText(us);

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
export const kLanes: { [lane: string]: { title: string; short: string } } = {
  towards: { title: 'May support the allegation', short: 'may support' },
  away: { title: 'May undermine the case or assist the defence', short: 'may undermine' },
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
