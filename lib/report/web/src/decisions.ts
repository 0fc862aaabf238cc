// What a reviewer decides about leads. Kept in this browser only, until handed back as a file.
import { ev, fill, h } from './dom';
import { n, time, word } from './format';
import { theSummary } from './data';
import type { Decision, Lead } from './types';

export const kDecisions: [string, string, string][] = [
  ['relevant', 'Relevant', 'Bears on the case'],
  ['not_relevant', 'Not relevant', 'Does not bear on the case'],
  ['undermines', 'Undermines', 'May undermine the prosecution or assist the defence'],
  ['privileged', 'Privileged', 'May be legally privileged: stop reading'],
];
const kSchema = 'touchstone.decisions/1';

let store: Map<string, Decision> | undefined;
let volatile = false;

const place = (): string => `touchstone.decisions:${theSummary().case.fingerprint || theSummary().case.reference || 'case'}`;
const kReviewer = 'touchstone.reviewer';

function read(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    volatile = true;
    return null;
  }
}
function write(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    volatile = true;
  }
}

function isDecision(value: unknown): value is Decision {
  return typeof value === 'object' && value !== null && kDecisions.some(([name]) => name === (value as Decision).decision);
}

function all(): Map<string, Decision> {
  if (store) return store;
  store = new Map();
  try {
    const parsed: unknown = JSON.parse(read(place()) ?? '{}');
    for (const [key, value] of Object.entries(parsed as object)) if (isDecision(value)) store.set(key, value);
  } catch {
    store = new Map();
  }
  return store;
}

function save(): void {
  write(place(), JSON.stringify(Object.fromEntries(all())));
}

export function decisionOf(key: string, stored?: Decision[]): Decision | undefined {
  return all().get(key) ?? stored?.[stored.length - 1];
}

export function decisionTag(decision: Decision | undefined): HTMLElement | null {
  if (!decision) return null;
  const known = kDecisions.find(([name]) => name === decision.decision);
  return h('span', { class: `tag decision ${known ? known[0] : ''}` }, known ? known[1] : word(decision.decision));
}

/** Buttons and a note for one lead. */
export function decisionForm(lead: Lead, changed: () => void): HTMLElement {
  const form = h('div', { class: 'decide' });
  const draw = () => {
    const current = decisionOf(lead.key, lead.decisions);
    const note = h('textarea', { rows: 2, 'aria-label': 'Note', placeholder: 'Note (optional)' });
    note.value = current?.note ?? '';
    const set = (decision: string) => {
      all().set(lead.key, { decision, note: note.value, who: read(kReviewer) ?? '', at: Date.now() * 1000 });
      save();
      draw();
      changed();
    };
    note.addEventListener('change', () => {
      const now = decisionOf(lead.key, lead.decisions);
      if (now) set(now.decision);
    });
    fill(
      form,
      h('h4', null, 'Your decision'),
      h(
        'div',
        { class: 'buttons' },
        kDecisions.map(([name, label, title]) =>
          h('button', { type: 'button', title, 'aria-pressed': String(current?.decision === name), onclick: () => set(name) }, label),
        ),
        all().has(lead.key) &&
          h(
            'button',
            {
              type: 'button',
              class: 'quiet',
              onclick: () => {
                all().delete(lead.key);
                save();
                draw();
                changed();
              },
            },
            'Take back',
          ),
      ),
      note,
      current && h('p', { class: 'muted' }, 'Decided ', time(current.at), current.who ? [' by ', ev(current.who)] : null),
    );
  };
  draw();
  return form;
}

function exported(): string {
  const keys = [...all().keys()].sort();
  const decisions = keys.map((key) => ({ subject_key: key, ...all().get(key) }));
  const { reference, fingerprint } = theSummary().case;
  return JSON.stringify({ schema: kSchema, reference, fingerprint, decisions }, null, 1) + '\n';
}

/** Takes decisions from a file; a later decision on the same lead wins. Says in words what happened. */
function importText(text: string): string {
  let parsed: { schema?: unknown; fingerprint?: unknown; decisions?: unknown };
  try {
    parsed = JSON.parse(text) as typeof parsed;
  } catch {
    return 'This file is not JSON.';
  }
  if (!parsed || parsed.schema !== kSchema || !Array.isArray(parsed.decisions)) return 'This is not a file of decisions.';
  let taken = 0;
  for (const one of parsed.decisions as ({ subject_key?: unknown } & Decision)[]) {
    if (!isDecision(one) || typeof one.subject_key !== 'string') continue;
    const mine = all().get(one.subject_key);
    if (mine && (mine.at ?? 0) >= (one.at ?? 0)) continue;
    const text_of = (value: unknown) => (typeof value === 'string' ? value : '');
    all().set(one.subject_key, { decision: one.decision, note: text_of(one.note), who: text_of(one.who), at: Number(one.at) || 0 });
    taken++;
  }
  save();
  const other = parsed.fingerprint !== theSummary().case.fingerprint ? ' They were made on another run of this case.' : '';
  return `${n(taken)} of ${n(parsed.decisions.length)} decisions taken over; the others were older than yours or not understood.${other}`;
}

export async function decisionsPage(root: HTMLElement): Promise<void> {
  const name = h('input', { type: 'text', id: 'reviewer', autocomplete: 'name' });
  name.value = read(kReviewer) ?? '';
  name.addEventListener('change', () => write(kReviewer, name.value));
  const message = h('p', { role: 'status' });
  const link = h('a', { class: 'button', download: 'decisions.json', href: '#/decisions' }, 'Save decisions as a file');
  link.addEventListener('click', () => {
    const url = URL.createObjectURL(new Blob([exported()], { type: 'application/json' }));
    link.setAttribute('href', url);
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  });
  const file = h('input', { type: 'file', accept: '.json,application/json', id: 'import' });
  file.addEventListener('change', async () => {
    const chosen = file.files?.[0];
    if (!chosen) return;
    fill(message, importText(await chosen.text()));
    draw();
  });
  const list = h('div', null);
  const draw = () => {
    const keys = [...all().keys()].sort();
    fill(
      list,
      keys.length === 0 && h('p', { class: 'muted' }, 'None yet. Open a lead and decide there.'),
      keys.map((key) => {
        const one = all().get(key);
        return h(
          'div',
          { class: 'line' },
          decisionTag(one),
          h('code', null, ev(key)),
          one?.note ? h('div', null, ev(one.note, true)) : null,
          h('div', { class: 'muted' }, time(one?.at), one?.who ? [' by ', ev(one.who)] : null),
        );
      }),
    );
  };
  draw();
  fill(
    root,
    h('h1', null, 'Decisions'),
    h('p', null, 'Decisions are kept in this browser, on this computer. Save them as a file to hand them back.'),
    volatile && h('p', { class: 'notice warn' }, 'This browser does not keep data for pages opened from disk: save the file before you close the page.'),
    h(
      'div',
      { class: 'panel form' },
      h('label', { for: 'reviewer' }, 'Your name'),
      name,
      h('label', { for: 'import' }, 'Take over decisions from a file'),
      file,
      h('div', null, link),
      message,
    ),
    h('h2', null, 'On this computer'),
    list,
  );
}
