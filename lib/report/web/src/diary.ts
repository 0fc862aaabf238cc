// What people planned and wrote down for themselves: calendar entries and notes.
import { dataset, theSummary } from './data';
import { ev, fill, folded, h } from './dom';
import { n, plural, time } from './format';
import { facts, mono, pager, progressBar, select } from './parts';
import { go } from './route';
import type { DiaryEntry, DiaryPerson } from './types';

const kPage = 50;
// Enough to read; a search that finds more says so.
const kMostHits = 5000;

const person = (one: DiaryPerson): HTMLElement =>
  h('span', null, ev(one.name ?? one.id), one.name && one.name !== one.id ? [' ', h('span', { class: 'muted' }, ev(one.id))] : null, one.role ? [' ', h('span', { class: 'tag' }, ev(one.role))] : null);

const people = (all: DiaryPerson[]): HTMLElement => h('span', null, all.map((one, i) => [i > 0 ? ', ' : '', person(one)]));

export const diaryText = (entry: DiaryEntry): string =>
  [entry.title ?? '', entry.body ?? '', entry.place ?? '', entry.folder ?? '', entry.account ?? '', ...[entry.organiser, ...(entry.participants ?? [])].flatMap((one) => (one ? [one.id, one.name ?? ''] : []))].join('\n');

export const diaryTime = (entry: DiaryEntry): number | undefined => entry.starts ?? entry.modified ?? entry.created;

function when(entry: DiaryEntry): HTMLElement | null {
  if (entry.starts === undefined && entry.ends === undefined) return null;
  return h('span', null, entry.starts === undefined ? null : time(entry.starts, entry.time_basis), entry.ends === undefined ? null : [' to ', time(entry.ends, entry.time_basis)], entry.all_day ? ', all day' : null);
}

export function diaryCard(entry: DiaryEntry): HTMLElement {
  const others = entry.participants ?? [];
  const more = (entry.participants_all ?? others.length) - others.length;
  return h(
    'article',
    { class: 'panel' },
    h('h3', null, ev(entry.title ?? (entry.kind === 'note' ? 'Note without a title' : 'Entry without a title'))),
    h(
      'p',
      { class: 'meta' },
      h('span', { class: 'tag' }, entry.kind === 'note' ? 'note' : 'calendar'),
      entry.deleted ? [' ', h('span', { class: 'tag warn' }, 'deleted')] : null,
      entry.recovered ? [' ', h('span', { class: 'tag warn' }, 'recovered')] : null,
      entry.locked ? [' ', h('span', { class: 'tag warn' }, 'locked: its text was not read')] : null,
      ' ',
      ev(entry.exhibit ?? ''),
      entry.lead !== undefined ? [' ', h('a', { href: `#/lead/${entry.lead}` }, 'is a lead')] : null,
    ),
    entry.body ? h('div', null, ev(entry.body, true)) : null,
    facts([
      ['When', when(entry)],
      ['Repeats', entry.repeats ? ev(`${entry.repeats}; the time is that of the first`) : null],
      ['Where', entry.place ? ev(entry.place, true) : null],
      ['By', entry.organiser ? person(entry.organiser) : null],
      ['With', others.length > 0 ? h('span', null, people(others), more > 0 ? ` and ${n(more)} more` : null) : null],
      [entry.kind === 'note' ? 'Folder' : 'Calendar', entry.folder || entry.account ? ev([entry.account, entry.folder].filter(Boolean).join(', ')) : null],
      ['Made', entry.created === undefined ? null : time(entry.created, entry.kind === 'note' ? entry.time_basis : undefined)],
      ['Last changed', entry.modified === undefined ? null : time(entry.modified, entry.kind === 'note' ? entry.time_basis : undefined)],
      ['Status', entry.status ? ev(entry.status) : null],
      ['App', entry.app ? ev(entry.app) : null],
      ['Read from', h('span', null, mono(entry.locator), entry.source_table ? mono(`, ${entry.source_table} ${entry.source_row ?? ''}`) : null)],
    ]),
  );
}

export async function diaryPage(root: HTMLElement, params: URLSearchParams, signal: AbortSignal): Promise<void> {
  const diary = dataset<DiaryEntry>('diary');
  const page = Math.max(0, Number(params.get('page')) || 0);
  const wanted = { q: params.get('q') ?? '', kind: params.get('kind') ?? '', exhibit: params.get('exhibit') ?? '' };
  const visit = (part: Partial<typeof wanted> & { page?: number }) => {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...wanted, page: 0, ...part })) if (value) query.set(name, String(value));
    go(`#/diary?${query}`);
  };
  const input = h('input', { type: 'search', placeholder: 'Words, place or person', 'aria-label': 'Find entries and notes' });
  input.value = wanted.q;
  const form = h(
    'form',
    { class: 'filters' },
    input,
    h('button', { type: 'submit' }, 'Find'),
    select('Kind', [['', 'both'], ['event', 'calendar entries'], ['note', 'notes']], wanted.kind, (kind) => visit({ kind })),
    select('Exhibit', [['', 'all exhibits'], ...theSummary().exhibits.map((one): [string, string] => [one.ref, one.ref])], wanted.exhibit, (exhibit) => visit({ exhibit })),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    visit({ q: input.value });
  });
  const list = h('div', { class: 'list' });
  const status = h('div', null);
  fill(
    root,
    h('h1', null, 'Calendar and notes'),
    h('p', { class: 'muted' }, `${plural(diary.rows, 'entry or note', 'entries and notes')}, by the time that they start or were last changed. An entry that repeats is shown once.`),
    form,
    status,
    list,
  );
  const showPage = async (places: number[] | undefined) => {
    const all = places?.length ?? diary.rows;
    const rows = places ? await diary.pick(places.slice(page * kPage, (page + 1) * kPage)) : await diary.range(page * kPage, (page + 1) * kPage);
    if (signal.aborted) return;
    fill(list, rows.length > 0 ? rows.map(diaryCard) : h('p', { class: 'empty' }, diary.rows > 0 ? 'Nothing matches.' : 'No calendar entry and no note was found.'), pager(page, Math.ceil(all / kPage), (next) => visit({ page: next })));
  };
  if (!wanted.q && !wanted.kind && !wanted.exhibit) return showPage(undefined);

  const stop = new AbortController();
  signal.addEventListener('abort', () => stop.abort());
  const bar = progressBar('Searching', () => stop.abort());
  fill(status, bar.element);
  const needle = folded(wanted.q);
  const found: number[] = [];
  await diary.scan(
    (entry, place) => {
      if (wanted.kind && entry.kind !== wanted.kind) return;
      if (wanted.exhibit && entry.exhibit !== wanted.exhibit) return;
      if (needle && !folded(diaryText(entry)).includes(needle)) return;
      if (found.length < kMostHits) found.push(place);
      else stop.abort();
    },
    (done, all) => bar.set(done, all, `${n(found.length)} found in ${n(done)} of ${n(all)}`),
    stop.signal,
  );
  if (signal.aborted) return;
  bar.end(`${plural(found.length, 'entry or note', 'entries and notes')} found${stop.signal.aborted ? '; the search was stopped before the end' : ''}`);
  await showPage(found);
}
