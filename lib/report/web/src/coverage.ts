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

/** A range that no item has bytes in belongs to the file system itself, or to nothing that is read. */
function damagedRanges(ranges: Coverage['damaged']): HTMLElement {
  if (ranges.length === 0) return h('p', { class: 'empty' }, 'No damaged range is recorded.');
  const items = (range: Coverage['damaged'][number]) =>
    range.count === 0
      ? h('span', { class: 'muted' }, 'no item has bytes here')
      : h(
          'ul',
          { class: 'counts' },
          range.items.map((one) => h('li', null, mono(one.item), ` ${plural(one.length, 'byte', 'bytes')} from byte ${n(one.offset)}`)),
          range.count > range.items.length ? h('li', null, `and ${n(range.count - range.items.length)} more`) : null,
        );
  return table(
    ['Exhibit', 'From byte', 'Bytes', 'What is wrong', 'Items that have bytes in it'],
    ranges.map((range) => [ev(range.exhibit), n(range.offset), n(range.length), ev(range.reason), items(range)]),
    [1, 2],
    'damaged',
  );
}

const problemRows = (rows: Problem[]): HTMLElement =>
  table(
    ['Kind', 'By', 'What happened', 'Where'],
    rows.map((one) => [h('span', { class: 'tag' }, word(one.kind)), ev(one.plugin ?? ''), ev(one.message ?? ''), one.item ? mono(one.item) : one.content ? mono(`sha256 ${one.content}`) : ev(one.exhibit ?? '')]),
  );

/** A search that never ran says nothing; what an app definition finds are records. */
function found(one: Search): HTMLElement {
  if (!one.ran_over) return h('span', { class: 'tag' }, 'not run');
  if (one.records !== undefined) return h('span', null, one.records > 0 ? h('strong', null, n(one.records)) : 'no', one.records === 1 ? ' record' : ' records');
  return one.hits ? h('strong', null, n(one.hits)) : h('span', { class: 'muted' }, 'no hit');
}

function notRun(one: Search): HTMLElement {
  if (!one.ran_over && !one.not_run) {
    const exhibit = theSummary().exhibits.find((each) => each.ref === one.exhibit);
    const scoped = exhibit && (exhibit.out_of_scope > 0 || !['suspect', 'unknown'].includes(exhibit.role));
    return h('span', { class: 'muted' }, scoped ? 'nothing that it may look at within the scope' : 'nothing it applies to');
  }
  return h('div', null, n(one.not_run), one.not_run && one.reasons ? h('div', { class: 'muted' }, jsonView(one.reasons)) : null);
}

const searchRows = (rows: Search[]): HTMLElement =>
  table(
    ['Found', 'Search', 'By', 'Exhibit', 'Looked at', 'Not run'],
    rows.map((one) => [
      found(one),
      h('div', null, one.title ? [ev(one.title), ' '] : null, h('span', { class: 'rule' }, ev(one.rule))),
      h('span', null, ev(one.plugin), one.version ? h('span', { class: 'muted' }, ' ', ev(one.version)) : null),
      ev(one.exhibit ?? ''),
      n(one.ran_over),
      notRun(one),
    ]),
    [0, 4, 5],
    'searches',
  );

/** Each rule on each exhibit is one search. */
function searchesMade(): HTMLElement {
  const { totals } = theSummary();
  const records = totals['search_for_records'] ?? 0;
  const idle = totals['search_not_run'] ?? 0;
  return h(
    'p',
    null,
    `${plural(totals['search'] ?? 0, 'search', 'searches')}, each rule on each exhibit counted as one: ${n(totals['search_without_hit'])} found nothing`,
    idle > 0 ? `, ${n(idle)} ${idle === 1 ? 'was' : 'were'} not run` : null,
    records > 0 ? `, ${n(records)} read the databases of apps, whose results are records` : null,
    '.',
  );
}

export async function coveragePage(root: HTMLElement, _params: URLSearchParams, signal: AbortSignal): Promise<void> {
  const coverage = await chunk<Coverage>('coverage', 0);
  if (signal.aborted) return;
  const all = coverage.states.reduce((sum, line) => sum + line.items, 0);
  const unread = coverage.volumes.filter((volume) => ['unsupported', 'encrypted', 'corrupt', 'partly_read'].includes(volume.state));
  fill(
    root,
    h('h1', null, 'Coverage'),
    h('p', null, `Every item found ends in exactly one state. The states add up to ${plural(all, 'item', 'items')} found.`),
    h('h2', null, 'Items by exhibit'),
    statesTable(coverage.states, (line) => line.exhibit ?? 'no exhibit', 'Exhibit'),
    h('p', null, 'List them: ', kStates.filter((state) => coverage.states.some((line) => line.state === state)).map((state) => [h('a', { href: `#/items?state=${state}` }, stateTag(state)), ' '])),
    h('h2', null, 'Items by volume'),
    statesTable(coverage.states, (line) => `${line.exhibit ?? ''} ${line.volume ?? 'no volume'}`, 'Volume'),
    h('h2', null, 'Volumes'),
    unread.length > 0
      ? h('div', { class: 'notice bad' }, h('strong', null, `${plural(unread.length, 'volume was', 'volumes were')} not read, or not wholly. `), 'Files that could not be read are not in this report (the bytes of an unsupported volume were searched and carved, those of an encrypted one were not): ', unread.map((volume, i) => [i > 0 ? ', ' : '', ev(`${volume.exhibit ?? ''} ${volume.slot}`), ` (${word(volume.state)})`]), '.')
      : null,
    volumes(coverage),
    h('h2', null, 'Damaged ranges'),
    damagedRanges(coverage.damaged),
    h('h2', null, 'Out of scope'),
    coverage.out_of_scope.length === 0
      ? h('p', { class: 'empty' }, 'Nothing was left out by a scope.')
      : [h('p', null, 'Not looked at; only counted. (Verifying the image\u2019s own hash reads all bytes and keeps none.)'), table(['Exhibit', 'Volume', 'Rule', 'Items'], coverage.out_of_scope.map((one) => [ev(one.exhibit ?? ''), ev(one.volume ?? ''), ev(one.rule), n(one.items)]), [3])],
    h('h2', null, 'Searches made'),
    searchesMade(),
    paged<Search>('searches', 'No search is recorded.', searchRows),
    h('h2', null, 'Problems'),
    coverage.problems.length > 0 ? h('ul', { class: 'counts' }, coverage.problems.map((one) => h('li', null, `${n(one.problems)} `, word(one.kind), one.plugin ? [' in ', ev(one.plugin)] : null))) : null,
    paged<Problem>('problems', 'No problem was recorded.', problemRows),
    h('h2', null, 'Items by kind'),
    table(['Exhibit', 'Kind', '', 'Items'], coverage.kinds.map((one) => [ev(one.exhibit ?? ''), word(one.kind), one.allocated ? 'in use' : 'deleted', n(one.items)]), [3]),
  );
}
