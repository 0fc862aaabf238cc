// The first page: what matters and why, which exhibit first, what is incomplete.
import { theSummary } from './data';
import { ev, fill, h } from './dom';
import { kBands, kLanes, kStates, n, plural, time, word } from './format';
import { leadTitle } from './leads';
import { bandTag, table } from './parts';
import type { Exhibit, Lane, TopLead, Warning } from './types';

const kShown = 4;

function warning(one: Warning): HTMLElement {
  return h('li', { class: one.level }, h('a', { href: one.link }, ev(one.title)), one.text ? ['. ', ev(one.text)] : null);
}

function banner(): HTMLElement {
  const { warnings, totals } = theSummary();
  const serious = warnings.filter((one) => one.level !== 'note');
  if (warnings.length === 0) {
    const found = totals['item'] ?? 0;
    return h('div', { class: 'notice good' }, h('strong', null, 'Complete. '), `${found === 1 ? 'The one item' : `All ${n(found)} items`} found ${found === 1 ? 'was' : 'were'} examined, and nothing was left out.`);
  }
  const bad = warnings.some((one) => one.level === 'bad');
  const order = { bad: 0, warn: 1, note: 2 };
  const sorted = [...warnings].sort((a, b) => order[a.level] - order[b.level]);
  const rest = sorted.slice(kShown);
  return h(
    'section',
    { class: `notice ${bad ? 'bad' : serious.length > 0 ? 'warn' : 'note'}`, 'aria-label': 'What is incomplete' },
    h('h2', null, bad ? 'Not everything was examined' : serious.length > 0 ? 'Examined, with exceptions' : 'Please note'),
    h('ul', null, sorted.slice(0, kShown).map(warning)),
    rest.length > 0 ? h('details', null, h('summary', null, `${n(rest.length)} more`), h('ul', null, rest.map(warning))) : null,
  );
}

function topLead(lead: TopLead): HTMLElement {
  const strongest = [...lead.reasons].sort((a, b) => (b.points ?? 0) - (a.points ?? 0)).slice(0, 2);
  return h(
    'li',
    { class: `top ${lead.band}` },
    h('div', { class: 'score', title: 'Score out of 1,000' }, n(lead.score)),
    h(
      'div',
      null,
      h('a', { class: 'title', href: `#/lead/${lead.place}` }, ev(leadTitle(lead))),
      h(
        'p',
        { class: 'meta' },
        bandTag(lead.band),
        lead.exhibit ? ev(lead.exhibit) : null,
        lead.kind !== 'message' && lead.name && lead.name !== lead.title ? ev(lead.name) : null,
        lead.time === undefined ? null : time(lead.time, lead.basis),
      ),
      lead.inside ? h('p', { class: 'meta' }, `${plural(lead.inside, 'message', 'messages')} of it ${lead.inside === 1 ? 'is a lead' : 'are leads'}`) : null,
      lead.body ? h('p', { class: 'excerpt' }, ev(lead.body.slice(0, 160))) : null,
      h('ul', { class: 'why' }, strongest.map((reason) => h('li', null, ev(reason.text ?? reason.rule), h('span', { class: 'points' }, ` ${(reason.points ?? 0) > 0 ? '+' : ''}${n(reason.points)}`)))),
    ),
  );
}

function lane(name: Lane): HTMLElement {
  const { top, bands } = theSummary();
  const counts = bands[name] ?? {};
  const all = Object.values(counts).reduce((a, b) => a + b, 0);
  return h(
    'section',
    { class: `lane ${name}` },
    h('h2', null, kLanes[name]?.title ?? name),
    all === 0
      ? h('p', { class: 'empty' }, 'No lead. That means that no rule matched, not that there is nothing: see the searches made in Coverage.')
      : h('ol', { class: 'tops' }, top[name].map(topLead)),
    all > 0
      ? h('p', null, h('a', { href: `#/leads?lane=${name}` }, all > top[name].length ? `All ${n(all)} of these leads` : 'Open these leads'), h('span', { class: 'muted' }, ` ${kBands.filter((band) => counts[band]).map((band) => `${n(counts[band])} ${band}`).join(', ')}`))
      : null,
  );
}

function whyFirst(exhibit: Exhibit): string {
  const counts = exhibit.bands['towards'] ?? {};
  const parts = kBands.filter((band) => counts[band]).map((band) => `${n(counts[band])} ${band}`);
  const away = Object.values(exhibit.bands['away'] ?? {}).reduce((a, b) => a + b, 0);
  const towards = parts.length > 0 ? `${parts.join(', ')}; best score ${n(exhibit.best)}` : 'no lead that may support the allegation';
  return away > 0 ? `${towards}. ${plural(away, 'lead', 'leads')} that may undermine the case` : towards;
}

function integrity(exhibit: Exhibit): HTMLElement {
  if (exhibit.verified === 1) return h('span', { class: 'tag good' }, 'hash verified');
  if (exhibit.verified === 0) return h('span', { class: 'tag bad' }, 'hash differs');
  return h('span', { class: 'tag' }, exhibit.stored ? 'hash not checked' : 'no stored hash');
}

function exhibitsTable(): HTMLElement {
  const { exhibits } = theSummary();
  const states = kStates.filter((state) => exhibits.some((exhibit) => exhibit.counts[state]));
  const scoped = exhibits.some((exhibit) => exhibit.out_of_scope > 0);
  const rows = exhibits.map((exhibit, i) => [
    n(i + 1),
    h('div', null, h('strong', null, ev(exhibit.ref)), ' ', h('span', { class: 'muted' }, exhibit.role === 'unknown' ? 'role unknown' : exhibit.role), h('div', null, integrity(exhibit))),
    whyFirst(exhibit),
    ...states.map((state) => n(exhibit.counts[state])),
    n(exhibit.items),
    ...(scoped ? [n(exhibit.out_of_scope)] : []),
  ]);
  const heads = ['#', 'Exhibit', 'Leads', ...states.map(word), 'Items in all', ...(scoped ? ['Out of scope'] : [])];
  return table(heads, rows, heads.map((_, i) => i).filter((i) => i > 2), 'exhibits');
}

export async function frontPage(root: HTMLElement): Promise<void> {
  const summary = theSummary();
  const { totals, run } = summary;
  const first = summary.exhibits.length > 1 ? summary.exhibits[0] : undefined;
  const tile = (value: number | undefined, one: string, many: string, link: string) =>
    h('a', { class: 'tile', href: link }, h('strong', null, n(value)), h('span', null, value === 1 ? one : many));
  fill(
    root,
    h('h1', null, summary.case.reference ? ev(summary.case.reference) : 'Triage report'),
    h(
      'p',
      { class: 'muted' },
      summary.case.title ? [ev(summary.case.title), ' \u00b7 '] : null,
      'Examined ',
      time(run.finished ?? run.started),
      run.operator ? [' by ', ev(run.operator)] : null,
      run.version ? ` with Touchstone ${run.version}` : null,
      `. Times are shown in ${summary.case.time_zone ?? 'Europe/London'}.`,
    ),
    banner(),
    first && first.best > 0
      ? h('p', { class: 'start' }, 'Start with ', h('a', { href: `#/leads?${new URLSearchParams({ exhibit: first.ref })}` }, ev(first.ref)), `: ${whyFirst(first)}.`)
      : null,
    h(
      'div',
      { class: 'tiles' },
      tile(totals['lead'], 'lead', 'leads', '#/leads'),
      tile(totals['message'], 'message', 'messages', '#/conversations'),
      tile(totals['conversation'], 'conversation', 'conversations', '#/conversations'),
      tile((totals['picture'] ?? 0) + (totals['video'] ?? 0), 'picture or video', 'pictures and videos', '#/pictures'),
      tile(totals['finding'], 'finding', 'findings', '#/coverage'),
      tile(totals['item'], 'item', 'items', '#/items'),
    ),
    h('div', { class: 'two-lanes' }, lane('towards'), lane('away')),
    h('h2', null, summary.exhibits.length > 1 ? 'Which exhibit first' : 'The exhibit'),
    exhibitsTable(),
    h('p', { class: 'muted' }, 'A lead is something to look at, not a conclusion. Scores order the work; nothing is hidden by its score. ', h('a', { href: '#/method' }, 'Method and limits')),
  );
}
