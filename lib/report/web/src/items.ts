// Every name found, whatever became of it.
import { dataset, theSummary } from './data';
import { ev, fill, folded, h } from './dom';
import { bytes, kStates, n, plural, time, word } from './format';
import { mono, pager, progressBar, select, stateTag, table } from './parts';
import { go } from './route';
import type { ItemRow } from './types';

const kPage = 100;
// Enough to read; a search that finds more says so.
const kMostHits = 5000;

function itemTable(rows: ItemRow[]): HTMLElement {
  return table(
    ['Name and place', 'State', 'Kind', 'Size', 'Modified', 'Hashes'],
    rows.map(([locator, state, kind, size, allocated, type, modified, basis, sha256, md5, name, reason]) => [
      h('div', { class: 'place' }, h('strong', null, ev(name || locator)), h('div', null, mono(locator))),
      h('div', null, stateTag(state), reason ? h('div', { class: 'muted' }, ev(reason)) : null),
      h('div', null, word(kind), allocated === 0 ? [' ', h('span', { class: 'tag warn' }, 'deleted')] : null, type ? h('div', { class: 'muted' }, ev(type)) : null),
      bytes(size),
      modified === undefined || modified === null ? '' : time(modified, basis ?? undefined),
      sha256 ? h('details', null, h('summary', null, h('code', null, sha256.slice(0, 8), '\u2026')), h('div', null, mono(sha256)), h('div', null, mono(md5 ?? undefined))) : '',
    ]),
    [3],
    'items',
  );
}

export async function itemsPage(root: HTMLElement, params: URLSearchParams, signal: AbortSignal): Promise<void> {
  const items = dataset<ItemRow>('items');
  const page = Math.max(0, Number(params.get('page')) || 0);
  const wanted = { q: params.get('q') ?? '', state: params.get('state') ?? '', exhibit: params.get('exhibit') ?? '' };
  const visit = (part: Partial<typeof wanted> & { page?: number }) => {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...wanted, page: 0, ...part })) if (value) query.set(name, String(value));
    go(`#/items?${query}`);
  };
  const input = h('input', { type: 'search', placeholder: 'Name, path or hash', 'aria-label': 'Find items by name, path or hash' });
  input.value = wanted.q;
  const form = h(
    'form',
    { class: 'filters' },
    input,
    h('button', { type: 'submit' }, 'Find'),
    select('State', [['', 'all states'], ...kStates.map((state): [string, string] => [state, word(state)])], wanted.state, (state) => visit({ state })),
    select('Exhibit', [['', 'all exhibits'], ...theSummary().exhibits.map((one): [string, string] => [one.ref, one.ref])], wanted.exhibit, (exhibit) => visit({ exhibit })),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    visit({ q: input.value });
  });
  const list = h('div', null);
  const status = h('div', null);
  fill(root, h('h1', null, 'Items'), h('p', { class: 'muted' }, `${plural(items.rows, 'item', 'items')} were found: every file, deleted or carved file, range of free space, attachment and archive member.`), form, status, list);

  const showPage = async (places: number[] | undefined) => {
    const all = places?.length ?? items.rows;
    const rows = places ? await items.pick(places.slice(page * kPage, (page + 1) * kPage)) : await items.range(page * kPage, (page + 1) * kPage);
    if (signal.aborted) return;
    fill(list, rows.length > 0 ? itemTable(rows) : h('p', { class: 'empty' }, 'Nothing matches.'), pager(page, Math.ceil(all / kPage), (next) => visit({ page: next })));
  };
  if (!wanted.q && !wanted.state && !wanted.exhibit) return showPage(undefined);

  const stop = new AbortController();
  signal.addEventListener('abort', () => stop.abort());
  const bar = progressBar('Searching', () => stop.abort());
  fill(status, bar.element);
  const needle = folded(wanted.q);
  const found: number[] = [];
  let drawn = false;
  await items.scan(
    (row, place) => {
      if (wanted.state && row[1] !== wanted.state) return;
      if (wanted.exhibit && !row[0].startsWith(`${wanted.exhibit}:`)) return;
      if (needle && !folded([row[0], row[10] ?? '', row[8] ?? '', row[9] ?? ''].join('\n')).includes(needle)) return;
      if (found.length < kMostHits) found.push(place);
      else stop.abort();
    },
    (done, all) => {
      bar.set(done, all, `${n(found.length)} found in ${n(done)} of ${n(all)} items`);
      if (!drawn && found.length >= (page + 1) * kPage) {
        drawn = true;
        void showPage(found);
      }
    },
    stop.signal,
  );
  if (signal.aborted) return;
  bar.end(`${plural(found.length, 'item', 'items')} found${stop.signal.aborted ? '; the search was stopped before the end' : ''}`);
  await showPage(found);
}
