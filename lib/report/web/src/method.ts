// How it was done: versions, rules, integrity, limits.
import { chunk } from './data';
import { ev, fill, h } from './dom';
import { bytes, time } from './format';
import { facts, jsonView, mono, table } from './parts';
import type { Json, Method } from './types';

function integrity(exhibit: Method['exhibits'][number]): HTMLElement {
  const verdict =
    exhibit.verified === 1
      ? h('span', { class: 'tag good' }, 'matches the stored hash')
      : exhibit.verified === 0
        ? h('span', { class: 'tag bad' }, 'does not match the stored hash')
        : h('span', { class: exhibit.stored_md5 || exhibit.stored_sha1 ? 'tag warn' : 'tag' }, exhibit.stored_md5 || exhibit.stored_sha1 ? 'stored hash not checked' : 'no hash is stored in this image');
  const pair = (computed?: string, stored?: string) =>
    computed || stored ? h('div', null, h('div', null, mono(computed) ?? h('span', { class: 'muted' }, 'not computed')), stored ? h('div', { class: 'muted' }, 'stored: ', mono(stored)) : null) : null;
  return h(
    'section',
    { class: 'panel' },
    h('h3', null, ev(exhibit.ref), ' ', verdict),
    facts([
      ['Role', exhibit.role],
      ['Path', mono(exhibit.path)],
      ['Format', exhibit.format],
      ['Size', bytes(exhibit.size)],
      ['MD5', pair(exhibit.md5, exhibit.stored_md5)],
      ['SHA-1', pair(exhibit.sha1, exhibit.stored_sha1)],
      ['SHA-256', pair(exhibit.sha256)],
    ]),
    exhibit.metadata && JSON.stringify(exhibit.metadata) !== '{}' ? h('details', { open: true }, h('summary', null, 'What the image says of its acquisition'), jsonView(exhibit.metadata)) : null,
  );
}

/** Whether the run found the evidence's files at its end as they were at its beginning. */
function evidence(settings: Json | undefined): HTMLElement | null {
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) return null;
  const files = settings['evidence_files'];
  const changed = settings['evidence_files_changed'];
  if (typeof files !== 'number' || typeof changed !== 'number') return null;
  if (changed > 0) return h('span', { class: 'tag bad' }, `${changed} of ${files} files changed during the run`);
  return h('span', null, `opened read-only; size and times of ${files === 1 ? 'its file' : `all ${files} files`} were the same before and after`);
}

const kLimits = [
  'Touchstone orders what it finds; it does not decide. A score is a sum of stated reasons, not a probability.',
  'That a search found nothing means that these rules matched nothing in what was examined. Coverage says what was not examined.',
  'Classifiers of pictures make mistakes in both directions. Look at the picture before relying on a claim about it.',
  'Times come from the device and are as right as its clock. \u201cZone assumed\u201d marks those stored without a time zone.',
  'Messages shown as deleted or recovered were rebuilt from remains of a database and may be incomplete.',
  'Previews are re-encoded, at most 512 pixels; the original is only on the exhibit.',
];

export async function methodPage(root: HTMLElement, _params: URLSearchParams, signal: AbortSignal): Promise<void> {
  const method = await chunk<Method>('method', 0);
  if (signal.aborted) return;
  const last = method.runs[method.runs.length - 1];
  fill(
    root,
    h('h1', null, 'Method and limits'),
    h('h2', null, 'Integrity of the exhibits'),
    method.exhibits.map(integrity),
    h('h2', null, 'Limits'),
    h('ul', null, kLimits.map((text) => h('li', null, text))),
    method.missing_models.length > 0
      ? h('div', { class: 'notice warn' }, h('strong', null, 'Models that were missing: '), h('ul', null, method.missing_models.map((one) => h('li', null, ev(one.plugin ?? ''), ': ', ev(one.message ?? '')))))
      : null,
    method.sandbox.length > 0 ? h('div', { class: 'notice warn' }, h('strong', null, 'Sandbox: '), h('ul', null, method.sandbox.map((one) => h('li', null, ev(one.message ?? ''))))) : null,
    h('h2', null, method.runs.length > 1 ? 'Runs' : 'Run'),
    method.runs.map((run) =>
      h(
        'section',
        { class: 'panel' },
        facts([
          ['Started', time(run.started)],
          ['Finished', run.finished === undefined ? h('span', { class: 'tag warn' }, 'not finished') : time(run.finished)],
          ['Complete', run.complete ? 'yes' : 'no'],
          ['Operator', run.operator ? ev(run.operator) : null],
          ['Version', run.version ? ev(run.version) : null],
          ['Command', mono(run.command)],
          ['Evidence', evidence(run.settings)],
          ['Sandbox', run === last && method.sandbox_level ? jsonView(method.sandbox_level) : null],
          ['Fingerprint', mono(run.fingerprint)],
        ]),
        run === last && run.settings ? h('details', null, h('summary', null, 'Settings'), jsonView(run.settings)) : null,
        run === last && run.components ? h('details', { open: true }, h('summary', null, 'Components and versions'), jsonView(run.components)) : null,
      ),
    ),
    h('h2', null, 'Plugins'),
    table(
      ['Plugin', 'Version', 'What it does', 'State', 'SHA-256'],
      method.plugins.map((plugin) => [
        h('strong', null, ev(plugin['name'])),
        ev(plugin['version'] ?? ''),
        ev(plugin['summary'] ?? ''),
        h('div', null, ev(plugin['state'] ?? ''), plugin['reason'] ? h('div', { class: 'muted' }, ev(plugin['reason'])) : null),
        mono(plugin['sha256']),
      ]),
      [],
      'hashes',
    ),
    h('h2', null, 'Rule files'),
    table(
      ['File', 'Kind', 'Title', 'Version', 'SHA-256'],
      method.rules.map((rule) => [mono(rule.path), ev(rule.kind ?? ''), ev(rule.title ?? rule.id ?? ''), ev(rule.version ?? ''), mono(rule.sha256)]),
      [],
      'hashes',
    ),
  );
}
