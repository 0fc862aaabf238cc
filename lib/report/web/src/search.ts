// One search over leads, messages, calendar entries and notes and, if asked, all items: chunk by chunk, stopped at any time.
import { dataset } from './data';
import { diaryText, diaryTime } from './diary';
import { ev, fill, folded, h } from './dom';
import { kLanes, n, plural, time } from './format';
import { leadTitle } from './leads';
import { bandTag, mono, progressBar, sender, stateTag } from './parts';
import { go } from './route';
import type { Conversation, DiaryEntry, ItemRow, Lead, Message } from './types';

const kMostHits = 200;

interface Section<T> {
  name: string;
  title: string;
  text: (row: T) => string;
  line: (row: T, place: number) => HTMLElement;
}

const leads: Section<Lead> = {
  name: 'leads',
  title: 'Leads',
  text: (lead) =>
    [leadTitle(lead), lead.item.name, lead.item.locator, lead.item.sha256, lead.message?.body, lead.message?.sender, lead.message?.who?.name, lead.key, ...lead.reasons.map((reason) => reason.text), JSON.stringify(lead.record ?? '')].join('\n'),
  line: (lead, place) =>
    h('a', { class: 'hit', href: `#/lead/${place}` }, h('span', { class: 'meta' }, bandTag(lead.band), kLanes[lead.lane]?.title ?? '', ev(lead.exhibit), ev(lead.item.name ?? '')), h('strong', null, ev(leadTitle(lead))), lead.message?.body ? ev(lead.message.body.slice(0, 200)) : null),
};

async function chatOf(place: number): Promise<number> {
  const chats = dataset<Conversation>('conversations');
  let low = 0;
  let high = chats.rows - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (((await chats.get(middle))?.place ?? 0) <= place) low = middle;
    else high = middle - 1;
  }
  // A conversation without messages starts where the next one does.
  while (low > 0 && ((await chats.get(low))?.messages ?? 0) === 0) low--;
  return low;
}

const messages: Section<Message> = {
  name: 'messages',
  title: 'Messages',
  text: (message) => [message.x, message.s, message.who?.name, message.who?.role, (message.ton ?? []).join(' '), JSON.stringify(message.to ?? ''), ...(message.a ?? []).map((one) => one.name ?? '')].join('\n'),
  line: (message, place) =>
    h(
      'button',
      { type: 'button', class: 'hit', onclick: async () => go(`#/conversation/${await chatOf(place)}?at=${place}`) },
      h('span', { class: 'meta' }, sender(message.s, message.who, message.d, message.e), message.ton ? h('span', null, 'to ', ev(message.ton.join(', '))) : null, time(message.t ?? message.r, message.b), message.f && message.f & 1 ? h('span', { class: 'tag warn' }, 'deleted') : null),
      ev((message.x ?? '').slice(0, 300)),
      (message.a ?? []).map((one) => (one.name ? h('span', { class: 'muted' }, ev(one.name)) : null)),
    ),
};

const diary: Section<DiaryEntry> = {
  name: 'diary',
  title: 'Calendar and notes',
  text: diaryText,
  line: (entry) =>
    h(
      'a',
      { class: 'hit', href: `#/diary?${new URLSearchParams({ q: (entry.title ?? entry.body ?? '').slice(0, 60), kind: entry.kind })}` },
      h('span', { class: 'meta' }, h('span', { class: 'tag' }, entry.kind === 'note' ? 'note' : 'calendar'), ev(entry.exhibit ?? ''), diaryTime(entry) === undefined ? null : time(diaryTime(entry), entry.time_basis)),
      entry.title ? h('strong', null, ev(entry.title)) : null,
      ev((entry.body ?? '').slice(0, 300)),
    ),
};

const items: Section<ItemRow> = {
  name: 'items',
  title: 'Items',
  text: (row) => [row[0], row[10] ?? '', row[8] ?? '', row[9] ?? ''].join('\n'),
  line: (row) => h('a', { class: 'hit', href: `#/items?${new URLSearchParams({ q: row[0] })}` }, h('span', { class: 'meta' }, stateTag(row[1])), h('strong', null, ev(row[10] || row[0])), mono(row[0])),
};

async function run<T>(section: Section<T>, needle: string, box: HTMLElement, signal: AbortSignal): Promise<void> {
  const data = dataset<T>(section.name);
  const list = h('div', { class: 'list' });
  const stop = new AbortController();
  signal.addEventListener('abort', () => stop.abort());
  const bar = progressBar(`Searching ${section.title.toLowerCase()}`, () => stop.abort());
  box.append(h('h2', null, section.title), bar.element, list);
  let hits = 0;
  await data.scan(
    (row, place) => {
      if (!folded(section.text(row)).includes(needle)) return;
      if (++hits <= kMostHits) list.append(section.line(row, place));
    },
    (done, all) => bar.set(done, all, `${n(hits)} found in ${n(done)} of ${n(all)}`),
    stop.signal,
  );
  const more = hits > kMostHits ? `; the first ${n(kMostHits)} are shown` : '';
  bar.end(`${hits === 0 ? 'Nothing found' : plural(hits, 'hit', 'hits')} in ${n(data.rows)}${more}${stop.signal.aborted ? '; stopped before the end' : ''}`);
}

export async function searchPage(root: HTMLElement, params: URLSearchParams, signal: AbortSignal): Promise<void> {
  const wanted = params.get('q') ?? '';
  const input = h('input', { type: 'search', id: 'query', 'aria-label': 'Search' });
  input.value = wanted;
  const everything = h('input', { type: 'checkbox' });
  everything.checked = params.get('all') !== '0';
  const form = h('form', { class: 'filters' }, input, h('button', { type: 'submit' }, 'Search'), h('label', { class: 'field row' }, everything, h('span', null, 'file names and hashes too')));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    go(`#/search?${new URLSearchParams({ q: input.value, ...(everything.checked ? {} : { all: '0' }) })}`);
  });
  const box = h('div', null);
  fill(
    root,
    h('h1', null, 'Search'),
    h('p', { class: 'muted' }, 'Searches what this report holds: leads, messages, calendar entries and notes, file names and hashes. Upper and lower case and invisible characters do not matter. It does not search the content of files: the keyword searches made are in Coverage.'),
    form,
    box,
  );
  const needle = folded(wanted).trim();
  if (!needle) {
    input.focus();
    return;
  }
  await run(leads, needle, box, signal);
  if (!signal.aborted) await run(messages, needle, box, signal);
  if (!signal.aborted) await run(diary, needle, box, signal);
  if (!signal.aborted && everything.checked) await run(items, needle, box, signal);
}
