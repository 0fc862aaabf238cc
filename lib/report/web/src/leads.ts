// Leads: two lanes that are never shown in one list.
import { chunk, dataset, theSummary } from './data';
import { decisionForm, decisionOf, decisionTag } from './decisions';
import { announce, ev, fill, h } from './dom';
import { bytes, kBands, kLanes, kindWord, n, plural, time, word } from './format';
import { bandTag, command, facts, jsonView, mono, pager, picture, select, sender, stateTag } from './parts';
import { go } from './route';
import type { Finding, InsideLead, Json, Lane, Lead, LeadIndex, MessageFacts, Reason } from './types';

const kPage = 20;

export function leadTitle(lead: { title?: string; reasons: Reason[]; kind: string }): string {
  return lead.title ?? lead.reasons[0]?.text ?? `A ${kindWord(lead.kind)}`;
}

/** What a classifier adds: the words in their surroundings and why they are looked for, then the rest. */
function detail(value: Json): HTMLElement {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return h('div', null, jsonView(value));
  const { context, why, ...rest } = value;
  return h(
    'div',
    null,
    typeof why === 'string' ? h('div', null, ev(why)) : null,
    typeof context === 'string' ? h('div', { class: 'excerpt' }, ev(context, true)) : null,
    Object.keys(rest).length > 0 ? h('details', null, h('summary', null, 'More of this finding'), jsonView(rest)) : null,
  );
}

/** Which classifier said so, how sure it is, and where exactly. */
function foundBy(finding: Finding): HTMLElement {
  return h(
    'div',
    { class: 'muted small' },
    'Found by ',
    ev(`${finding.plugin} ${finding.plugin_version ?? ''}`),
    ', rule ',
    ev(finding.rule),
    finding.confidence === undefined ? null : `, confidence ${n(finding.confidence)} of 1,000`,
    finding.position ? [', at ', ev(finding.position)] : null,
    finding.detail === undefined ? null : detail(finding.detail),
  );
}

export function reasonsTable(reasons: Reason[], score: number): HTMLElement {
  const sum = reasons.reduce((total, reason) => total + (reason.points ?? 0), 0);
  return h(
    'table',
    { class: 'reasons' },
    h('caption', null, 'Why it is here'),
    h(
      'tbody',
      null,
      reasons.map((reason) =>
        h(
          'tr',
          null,
          h('td', { class: 'num' }, (reason.points ?? 0) > 0 ? `+${n(reason.points)}` : n(reason.points)),
          h('td', null, ev(reason.text ?? reason.rule), reason.rule ? h('span', { class: 'rule' }, ev(reason.rule)) : null, reason.by ? foundBy(reason.by) : null),
        ),
      ),
    ),
    h(
      'tfoot',
      null,
      h('tr', null, h('td', { class: 'num' }, n(sum)), h('td', null, sum === score ? 'points in all, which is the score' : `points in all; the score is ${n(score)}`)),
    ),
  );
}

function messageBox(message: MessageFacts, exhibit: string): HTMLElement {
  return h(
    'blockquote',
    { class: `quote ${message.direction ?? ''}` },
    h('div', { class: 'muted' }, sender(message.sender, message.who, message.direction, exhibit), ' · ', ev(message.app ?? ''), ' · ', time(message.sent ?? message.received, message.time_basis)),
    ev(message.body, true),
    h(
      'div',
      null,
      message.deleted ? h('span', { class: 'tag warn' }, 'deleted') : null,
      message.edited ? h('span', { class: 'tag' }, 'edited') : null,
      message.recovered ? h('span', { class: 'tag warn' }, 'recovered') : null,
      message.place !== undefined && message.chat !== undefined
        ? h('a', { href: `#/conversation/${message.chat - 1}?at=${message.place}` }, 'Read it in its conversation')
        : null,
    ),
  );
}

function insideLine(one: InsideLead): HTMLElement {
  return h(
    'li',
    null,
    h('a', { href: `#/lead/${one.place}` }, ev(one.title ?? 'A message')),
    h('span', { class: 'points' }, ` ${n(one.score)} `),
    decisionTag(decisionOf(one.key, one.decisions)),
    one.body ? h('div', { class: 'excerpt' }, ev(one.body.slice(0, 240))) : null,
  );
}

/** The messages of a conversation that are leads themselves: listed here, not beside it. */
function insideList(lead: Lead): HTMLElement | null {
  if (!lead.inside) return null;
  const { all, leads } = lead.inside;
  return h(
    'details',
    { class: 'inside' },
    h('summary', null, all === 1 ? 'The message of it that is a lead' : `The ${n(all)} messages of it that are leads`),
    h('ul', { class: 'plain' }, leads.map(insideLine)),
    all > leads.length ? h('p', { class: 'muted' }, `and ${n(all - leads.length)} more: show them with \u201cone by one too\u201d above the list of leads`) : null,
  );
}

const kTimes = ['taken', 'started', 'visited', 'starts', 'ends', 'created', 'modified'];

function recordFacts(record: { [name: string]: Json }): HTMLElement {
  const basis = record['time_basis'];
  return facts(
    Object.entries(record)
      .filter(([name]) => name !== 'time_basis')
      .map(([name, value]) => [word(name), kTimes.includes(name) && typeof value === 'number' ? time(value, typeof basis === 'string' ? basis : undefined) : jsonView(value)]),
  );
}

function times(lead: Lead): [string, HTMLElement | null][] {
  const { item } = lead;
  const names: ['created' | 'modified' | 'accessed' | 'changed', string][] = [
    ['created', 'Created'],
    ['modified', 'Modified'],
    ['accessed', 'Accessed'],
    ['changed', 'Metadata changed'],
  ];
  return names.map(([key, label]) => [label, item[key] === undefined ? null : time(item[key], item.time_basis)]);
}

/** Everything about one lead. */
export function leadDetails(lead: Lead, changed: () => void): HTMLElement {
  const { item } = lead;
  return h(
    'div',
    { class: 'details' },
    lead.message ? messageBox(lead.message, lead.exhibit) : null,
    lead.chat !== undefined ? h('p', null, h('a', { href: `#/conversation/${lead.chat}` }, 'Read the conversation')) : null,
    lead.record ? h('div', { class: 'panel' }, h('h4', null, word(lead.kind)), recordFacts(lead.record)) : null,
    h(
      'div',
      { class: 'split' },
      reasonsTable(lead.reasons, lead.score),
      lead.preview ? picture(lead.preview, 'Picture of this lead') : null,
    ),
    h('h4', null, 'Where it is'),
    facts([
      ['Locator', mono(item.locator)],
      ['Exhibit', ev(lead.exhibit)],
      ['Name', item.name ? ev(item.name) : null],
      ['Kind', item.kind ? `${word(item.kind)}${item.allocated === 0 ? ', deleted' : ''}` : null],
      ['Type', item.media_type ? ev(item.media_type) : null],
      ['Size', item.size === undefined ? null : `${bytes(item.size)} (${n(item.size)} bytes)`],
      ['State', item.state ? h('span', null, stateTag(item.state), item.reason ? [' ', ev(item.reason)] : null) : null],
      ...times(lead),
      ['Taken', lead.picture?.taken === undefined ? null : time(lead.picture.taken, lead.picture.time_basis)],
      ['Camera', lead.picture?.camera ? ev(lead.picture.camera) : null],
      ['GPS', lead.picture?.latitude === undefined ? null : `${lead.picture.latitude.toFixed(5)}, ${lead.picture.longitude?.toFixed(5) ?? '?'}`],
      ['SHA-256', mono(item.sha256)],
      ['SHA-1', mono(item.sha1)],
      ['MD5', mono(item.md5)],
      ['Database row', lead.message?.source_table ? mono(`${lead.message.source_table}, row ${lead.message.source_row ?? '?'}`) : null],
      ['Also at', (lead.places ?? 1) > 1 ? alsoAt(lead) : null],
      ['Key', mono(lead.key)],
    ]),
    lead.check.length > 0
      ? h(
          'div',
          { class: 'check' },
          h('h4', null, 'How to check it with another tool'),
          h('ol', null, lead.check.map(([text, line]) => h('li', null, ev(text), command(line)))),
        )
      : null,
    decisionForm(lead, changed),
  );
}

function alsoAt(lead: Lead): HTMLElement {
  const list = lead.also_at ?? [];
  const more = (lead.places ?? 0) - list.length;
  return h(
    'details',
    null,
    h('summary', null, plural(lead.places ?? 0, 'place', 'places')),
    h('ul', { class: 'plain' }, list.map((locator) => h('li', null, mono(locator)))),
    more > 0 ? h('p', { class: 'muted' }, `and ${n(more)} more, in item.jsonl by SHA-256`) : null,
  );
}

function leadTime(lead: Lead): HTMLElement | null {
  if (lead.message) return time(lead.message.sent ?? lead.message.received, lead.message.time_basis);
  if (lead.kind === 'conversation') return null;
  if (lead.picture?.taken !== undefined) return time(lead.picture.taken, lead.picture.time_basis);
  // A database's own times say nothing of a record in it.
  const at = lead.record ? (lead.record['taken'] ?? lead.record['started'] ?? lead.record['visited'] ?? lead.record['starts'] ?? lead.record['modified'] ?? lead.record['created']) : lead.item.modified;
  const basis = lead.record ? lead.record['time_basis'] : lead.item.time_basis;
  return typeof at === 'number' ? time(at, typeof basis === 'string' ? basis : undefined) : null;
}

export function leadCard(lead: Lead, place: number, open = false): HTMLElement {
  const status = h('span', { class: 'status' });
  const mark = () => fill(status, decisionTag(decisionOf(lead.key, lead.decisions)));
  const body = h('div', { class: 'lead-body', id: `lead-${place}` });
  const button = h('button', { type: 'button', class: 'expander', 'aria-expanded': 'false', 'aria-controls': `lead-${place}` }, 'Details');
  const toggle = () => {
    const opening = button.getAttribute('aria-expanded') !== 'true';
    button.setAttribute('aria-expanded', String(opening));
    fill(button, opening ? 'Close' : 'Details');
    card.classList.toggle('open', opening);
    if (opening) fill(body, leadDetails(lead, mark));
    else fill(body);
  };
  button.addEventListener('click', toggle);
  mark();
  const strongest = [...lead.reasons].sort((a, b) => (b.points ?? 0) - (a.points ?? 0)).slice(0, 3);
  const card = h(
    'article',
    { class: `lead ${lead.band}` },
    h('div', { class: 'score', title: 'Score out of 1,000' }, n(lead.score)),
    h(
      'div',
      { class: 'lead-main' },
      h('h3', null, ev(leadTitle(lead))),
      h(
        'p',
        { class: 'meta' },
        bandTag(lead.band),
        h('span', null, kindWord(lead.kind)),
        lead.exhibit ? ev(lead.exhibit) : null,
        lead.item.name && lead.item.name !== lead.title ? ev(lead.item.name) : null,
        leadTime(lead),
        lead.item.allocated === 0 ? h('span', { class: 'tag warn' }, 'deleted') : null,
        (lead.places ?? 1) > 1 ? h('span', null, `at ${n(lead.places)} places`) : null,
        status,
      ),
      lead.message?.body ? h('p', { class: 'excerpt' }, ev(lead.message.body.slice(0, 240))) : null,
      h('ul', { class: 'why' }, strongest.map((reason) => h('li', null, ev(reason.text ?? reason.rule), h('span', { class: 'points' }, ` ${(reason.points ?? 0) > 0 ? '+' : ''}${n(reason.points)}`)))),
      insideList(lead),
    ),
    h('div', { class: 'lead-side' }, lead.preview ? picture(lead.preview, 'Picture of this lead') : null, button),
    body,
  );
  if (open) toggle();
  return card;
}

interface Filter {
  lane: Lane;
  band: string;
  kind: string;
  exhibit: string;
  messages: string; // 'all': also those shown within their conversation
  page: number;
}

/** Places of the leads that pass, from the compact index. */
async function matching(filter: Filter, signal: AbortSignal): Promise<{ places: number[]; folded: number }> {
  const index = theSummary().datasets['leadindex'];
  const kind = (index?.kinds ?? []).indexOf(filter.kind);
  const exhibit = (index?.exhibits ?? []).indexOf(filter.exhibit);
  const passed: number[] = [];
  const inside = new Map<number, number>();
  let first = 0;
  for (let number = 0; number < (index?.rows ?? 0) && !signal.aborted; number++) {
    const part = await chunk<LeadIndex>('leadindex', number);
    for (let i = 0; i < part.lanes.length; i++) {
      if (part.lanes[i] !== filter.lane[0]) continue;
      if (filter.band && part.bands[i] !== filter.band[0]) continue;
      if (filter.kind && part.kinds[i] !== kind) continue;
      if (filter.exhibit && part.exhibits[i] !== exhibit) continue;
      passed.push(first + i);
      const conversation = part.inside[i] ?? 0;
      if (conversation > 0) inside.set(first + i, conversation - 1);
    }
    first += part.lanes.length;
  }
  if (filter.messages === 'all') return { places: passed, folded: 0 };
  // Folded only where its conversation is in the list.
  const listed = new Set(passed);
  const places = passed.filter((place) => !listed.has(inside.get(place) ?? -1));
  return { places, folded: passed.length - places.length };
}

export async function leadsPage(root: HTMLElement, params: URLSearchParams, signal: AbortSignal): Promise<void> {
  const filter: Filter = {
    lane: params.get('lane') === 'away' ? 'away' : 'towards',
    band: params.get('band') ?? '',
    kind: params.get('kind') ?? '',
    exhibit: params.get('exhibit') ?? '',
    messages: params.get('messages') === 'all' ? 'all' : '',
    page: Math.max(0, Number(params.get('page')) || 0),
  };
  const change = (part: Partial<Filter>) => {
    const next = { ...filter, page: 0, ...part };
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(next)) if (value) query.set(name, String(value));
    go(`#/leads?${query}`);
  };
  const summary = theSummary();
  const index = summary.datasets['leadindex'];
  const inLane = (lane: string) => Object.values(summary.bands[lane] ?? {}).reduce((a, b) => a + b, 0);
  const list = h('div', { class: 'list' });
  const count = h('p', { class: 'muted', role: 'status' });
  const foot = h('div', null);
  fill(
    root,
    h('h1', null, 'Leads'),
    h(
      'div',
      { class: 'lanes', role: 'tablist', 'aria-label': 'What the leads may mean' },
      (['towards', 'away'] as Lane[]).map((lane) =>
        h(
          'button',
          { type: 'button', role: 'tab', class: lane, 'aria-selected': String(lane === filter.lane), onclick: () => change({ lane }) },
          h('strong', null, `${kLanes[lane]?.title} (${n(inLane(lane))})`),
        ),
      ),
    ),
    h(
      'div',
      { class: 'filters' },
      select('Band', [['', 'all bands'], ...kBands.map((band): [string, string] => [band, `${band} (${n(summary.bands[filter.lane]?.[band])})`])], filter.band, (band) => change({ band })),
      select('Kind', [['', 'all kinds'], ...(index?.kinds ?? []).map((kind): [string, string] => [kind, kindWord(kind)])], filter.kind, (kind) => change({ kind })),
      select('Exhibit', [['', 'all exhibits'], ...(index?.exhibits ?? []).map((ref): [string, string] => [ref, ref || 'none'])], filter.exhibit, (exhibit) => change({ exhibit })),
      select('Messages of listed conversations', [['', 'within their conversation'], ['all', 'one by one too']], filter.messages, (messages) => change({ messages })),
    ),
    count,
    list,
    foot,
  );
  const { places, folded } = await matching(filter, signal);
  const shown = places.slice(filter.page * kPage, (filter.page + 1) * kPage);
  const leads = await dataset<Lead>('leads').pick(shown);
  if (signal.aborted) return;
  const text = places.length === 0 ? 'No lead matches.' : `${plural(places.length, 'lead', 'leads')}, strongest first${folded > 0 ? `; ${plural(folded, 'more is a message', 'more are messages')} shown within ${folded === 1 ? 'its conversation' : 'their conversations'}` : ''}`;
  fill(count, text);
  announce(text);
  fill(list, leads.map((lead, i) => leadCard(lead, shown[i] ?? 0)));
  fill(foot, pager(filter.page, Math.ceil(places.length / kPage), (page) => change({ page })));
}

export async function leadPage(root: HTMLElement, place: number): Promise<void> {
  const lead = await dataset<Lead>('leads').get(place);
  if (!lead) {
    fill(root, h('h1', null, 'There is no such lead'), h('p', null, h('a', { href: '#/leads' }, 'All leads')));
    return;
  }
  const lane = kLanes[lead.lane];
  fill(
    root,
    h('p', { class: 'crumbs' }, h('a', { href: `#/leads?lane=${lead.lane}` }, `Leads: ${lane?.title ?? ''}`)),
    h('h1', null, `Lead that ${(lane?.title ?? '').toLowerCase()}`),
    leadCard(lead, place, true),
  );
}
