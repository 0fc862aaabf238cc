// The reviewer's page. Opened from disk, offline: one script, data in chunks, addresses behind "#".
import { conversationPage, conversationsPage } from './conversations';
import { coveragePage } from './coverage';
import { loadSummary, theSummary } from './data';
import { decisionsPage } from './decisions';
import { diaryPage } from './diary';
import { ev, fill, h } from './dom';
import { frontPage } from './front';
import { itemsPage } from './items';
import { leadPage, leadsPage } from './leads';
import { methodPage } from './method';
import { picturesPage } from './pictures';
import { go, route, type Route } from './route';
import { searchPage } from './search';

type Page = (root: HTMLElement, route: Route, signal: AbortSignal) => Promise<void>;

const pages: { [name: string]: Page } = {
  '': (root) => frontPage(root),
  leads: (root, { params }, signal) => leadsPage(root, params, signal),
  lead: (root, { part }) => leadPage(root, Number(part)),
  conversations: (root, { params }, signal) => conversationsPage(root, params, signal),
  conversation: (root, { part, params }, signal) => conversationPage(root, part, params, signal),
  pictures: (root, { params }, signal) => picturesPage(root, params, signal),
  diary: (root, { params }, signal) => diaryPage(root, params, signal),
  items: (root, { params }, signal) => itemsPage(root, params, signal),
  coverage: (root, { params }, signal) => coveragePage(root, params, signal),
  method: (root, { params }, signal) => methodPage(root, params, signal),
  decisions: (root) => decisionsPage(root),
  search: (root, { params }, signal) => searchPage(root, params, signal),
};
const menu: [string, string][] = [
  ['', 'Overview'],
  ['leads', 'Leads'],
  ['conversations', 'Conversations'],
  ['pictures', 'Pictures'],
  ['diary', 'Diary'],
  ['items', 'Items'],
  ['coverage', 'Coverage'],
  ['method', 'Method'],
  ['decisions', 'Decisions'],
];
const parents: { [name: string]: string } = { lead: 'leads', conversation: 'conversations' };

let current = new AbortController();
let shown = '';

async function show(main: HTMLElement, links: Map<string, HTMLElement>): Promise<void> {
  current.abort();
  current = new AbortController();
  const { signal } = current;
  const where = route();
  const name = pages[where.name] ? where.name : '';
  for (const [link, element] of links) {
    if (link === (parents[name] ?? name)) element.setAttribute('aria-current', 'page');
    else element.removeAttribute('aria-current');
  }
  const root = h('div', { class: `view view-${name || 'front'}` });
  fill(main, root);
  const moved = shown !== name;
  shown = name;
  window.scrollTo(0, 0);
  try {
    await (pages[name] ?? pages['']!)(root, where, signal);
    root.dataset['ready'] = 'yes';
    if (moved && document.activeElement === document.body) main.focus({ preventScroll: true });
  } catch (error) {
    if (!signal.aborted) fill(root, h('div', { class: 'notice bad' }, h('strong', null, 'This part could not be shown. '), error instanceof Error ? error.message : String(error)));
  }
}

async function start(): Promise<void> {
  const page = document.getElementById('page');
  if (!page) return;
  fill(page, h('p', { class: 'loading' }, 'Loading\u2026'));
  try {
    await loadSummary();
  } catch (error) {
    fill(page, h('div', { class: 'notice bad' }, error instanceof Error ? error.message : String(error)));
    return;
  }
  const { reference } = theSummary().case;
  if (reference) document.title = `${reference} \u2013 Touchstone report`;
  const links = new Map(menu.map(([name, label]) => [name, h('a', { href: `#/${name}` }, label)]));
  const query = h('input', { type: 'search', placeholder: 'Search', 'aria-label': 'Search the report' });
  const search = h('form', { class: 'search', role: 'search' }, query, h('button', { type: 'submit' }, 'Search'));
  search.addEventListener('submit', (event) => {
    event.preventDefault();
    go(`#/search?${new URLSearchParams({ q: query.value })}`);
  });
  const main = h('main', { id: 'main', tabindex: -1 });
  const skip = h('button', { type: 'button', class: 'skip', onclick: () => main.focus() }, 'Skip to the content');
  fill(
    page,
    skip,
    h(
      'header',
      null,
      h('div', { class: 'brand' }, h('a', { href: '#/' }, 'Touchstone'), reference ? h('span', null, ev(reference)) : null),
      h('nav', { 'aria-label': 'Report' }, [...links.values()]),
      search,
    ),
    main,
    h('footer', null, 'This page works offline and sends nothing anywhere. Pictures stay blurred until you ask for one.'),
    h('div', { id: 'live', class: 'visually-hidden', 'aria-live': 'polite' }),
  );
  window.addEventListener('hashchange', () => void show(main, links));
  document.addEventListener('keydown', (event) => {
    const target = event.target as HTMLElement;
    if (event.key !== '/' || event.ctrlKey || event.altKey || event.metaKey || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName)) return;
    event.preventDefault();
    query.focus();
  });
  await show(main, links);
}

void start();
