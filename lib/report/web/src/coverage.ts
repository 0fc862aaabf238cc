// What was looked at, what was not and why, and every search made.
import { chunk, dataset, theSummary } from './data';
import { ev, fill, h } from './dom';
import { bytes, kStates, n, plural, word } from './format';
import { jsonView, mono, pager, stateTag, table } from './parts';
import type { Coverage, Problem, Search } from './types';

const kPage = 50;

type Line = Coverage['states'][number];

function statesTable(lines: Line[], group: (line: Line) => string, head: string): HTMLElement {
  const groups = new Map<string, { [state: string]: number }>();
  for (const line of lines) {
    const counts = groups.get(group(line)) ?? {};
    counts[line.state] = (counts[line.state] ?? 0) + line.items;
    groups.set(group(line), counts);
  }
  const states = kStates.filter((state) => lines.some((line) => line.state === state));
  const sum = (counts: { [state: string]: number }) => Object.values(counts).reduce((a, b) => a + b, 0);
  const all: { [state: string]: number } = {};
  for (const line of lines) all[line.state] = (all[line.state] ?? 0) + line.items;
  const row = (name: string, counts: { [state: string]: number }) => [ev(name), ...states.map((state) => n(counts[state])), h('strong', null, n(sum(counts)))];
  const rows = [...groups].map(([name, counts]) => row(name, counts));
  if (groups.size !== 1) rows.push(row('All', all));
  const heads = [head, ...states.map(word), 'Found'];
  return table(heads, rows, heads.map((_, i) => i).slice(1), 'states');
}

/** A dataset as pages of a table, inside a section of a page. */
function paged<T>(name: string, empty: string, draw: (rows: T[]) => HTMLElement): HTMLElement {
  const data = dataset<T>(name);
  const box = h('div', { class: 'paged' });
  const show = async (page: number) => {
    const rows = await data.range(page * kPage, (page + 1) * kPage);
    fill(box, draw(rows), pager(page, Math.ceil(data.rows / kPage), (next) => void show(next)));
  };
  if (data.rows === 0) fill(box, h('p', { class: 'empty' }, empty));
  else void show(0).catch((error: Error) => fill(box, h('p', { class: 'notice bad' }, error.message)));
  return box;
}

function volumes(coverage: Coverage): HTMLElement {
  return table(
    ['Exhibit', 'Volume', 'File system', 'Size', 'State', 'Reason'],
    coverage.volumes.map((volume) => [
      ev(volume.exhibit),
      h('div', null, h('strong', null, ev(volume.slot)), volume.kind ? h('div', { class: 'muted' }, ev(volume.kind)) : null, volume.label ? h('div', { class: 'muted' }, '\u201c', ev(volume.label), '\u201d') : null),
      volume.filesystem ? ev(volume.filesystem) : h('span', { class: 'muted' }, 'none recognised'),
      bytes(volume.size),
      h('span', { class: `tag state vol-${volume.state}` }, word(volume.state)),
      volume.reason ? ev(volume.reason) : '',
    ]),
    [3],
    'volumes',
  );
}

const problemRows = (rows: Problem[]): HTMLElement =>
  table(
    ['Kind', 'By', 'What happened', 'Where'],
    rows.map((one) => [h('span', { class: 'tag' }, word(one.kind)), ev(one.plugin ?? ''), ev(one.message ?? ''), one.item ? mono(one.item) : one.content ? mono(`sha256 ${one.content}`) : ev(one.exhibit ?? '')]),
  );

const searchRows = (rows: Search[]): HTMLElement =>
  table(
    ['Hits', 'Search', 'By', 'Exhibit', 'Looked at', 'Not run'],
    rows.map((one) => [
      one.hits ? h('strong', null, n(one.hits)) : h('span', { class: 'muted' }, 'no hit'),
      h('div', null, one.title ? [ev(one.title), ' '] : null, h('span', { class: 'rule' }, ev(one.rule))),
      h('span', null, ev(one.plugin), one.version ? h('span', { class: 'muted' }, ' ', ev(one.version)) : null),
      ev(one.exhibit ?? ''),
      n(one.ran_over),
      h('div', null, n(one.not_run), one.not_run && one.reasons ? h('div', { class: 'muted' }, jsonView(one.reasons)) : null),
    ]),
    [0, 4, 5],
  );

export async function coveragePage(root: HTMLElement, _params: URLSearchParams, signal: AbortSignal): Promise<void> {
  const coverage = await chunk<Coverage>('coverage', 0);
  if (signal.aborted) return;
  const { totals } = theSummary();
  const found = coverage.states.reduce((sum, line) => sum + line.items, 0);
  const unread = coverage.volumes.filter((volume) => ['unsupported', 'encrypted', 'corrupt', 'partly_read'].includes(volume.state));
  fill(
    root,
    h('h1', null, 'Coverage'),
    h('p', null, `Every item found ends in exactly one state. The states add up to ${plural(found, 'item', 'items')} found.`),
    h('h2', null, 'Items by exhibit'),
    statesTable(coverage.states, (line) => line.exhibit ?? 'no exhibit', 'Exhibit'),
    h('p', null, 'List them: ', kStates.filter((state) => coverage.states.some((line) => line.state === state)).map((state) => [h('a', { href: `#/items?state=${state}` }, stateTag(state)), ' '])),
    h('h2', null, 'Items by volume'),
    statesTable(coverage.states, (line) => `${line.exhibit ?? ''} ${line.volume ?? 'no volume'}`, 'Volume'),
    h('h2', null, 'Volumes'),
    unread.length > 0
      ? h('div', { class: 'notice bad' }, h('strong', null, `${plural(unread.length, 'volume was', 'volumes were')} not read, or not wholly. `), 'What could not be read is not in this report: ', unread.map((volume, i) => [i > 0 ? ', ' : '', ev(`${volume.exhibit ?? ''} ${volume.slot}`), ` (${word(volume.state)})`]), '.')
      : null,
    volumes(coverage),
    h('h2', null, 'Out of scope'),
    coverage.out_of_scope.length === 0
      ? h('p', { class: 'empty' }, 'Nothing was left out by a scope.')
      : [h('p', null, 'Only counted, never read or named.'), table(['Exhibit', 'Volume', 'Rule', 'Items'], coverage.out_of_scope.map((one) => [ev(one.exhibit ?? ''), ev(one.volume ?? ''), ev(one.rule), n(one.items)]), [3])],
    h('h2', null, 'Searches made'),
    h('p', null, `${plural(totals['search'] ?? 0, 'search', 'searches')}, of which ${n(totals['search_without_hit'])} found nothing.`),
    paged<Search>('searches', 'No search is recorded.', searchRows),
    h('h2', null, 'Problems'),
    coverage.problems.length > 0 ? h('ul', { class: 'counts' }, coverage.problems.map((one) => h('li', null, `${n(one.problems)} `, word(one.kind), one.plugin ? [' in ', ev(one.plugin)] : null))) : null,
    paged<Problem>('problems', 'No problem was recorded.', problemRows),
    h('h2', null, 'Items by kind'),
    table(['Exhibit', 'Kind', '', 'Items'], coverage.kinds.map((one) => [ev(one.exhibit ?? ''), word(one.kind), one.allocated ? 'in use' : 'deleted', n(one.items)]), [3]),
  );
}
