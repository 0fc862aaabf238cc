// Pictures and videos. Each is blurred until it is asked for; there is no switch for all of them.
import { dataset } from './data';
import { ev, fill, h } from './dom';
import { bytes, n, plural, time } from './format';
import { bandTag, facts, mono, pager, picture } from './parts';
import { go } from './route';
import type { Picture } from './types';

const kPage = 60;

function card(one: Picture): HTMLElement {
  const why = one.why ?? (one.kind === 'video' ? 'Video' : 'No preview made');
  const size = one.w && one.h ? `${one.w} \u00d7 ${one.h}` : null;
  return h(
    'figure',
    { class: 'thumb' },
    picture(one.preview, `${one.kind === 'video' ? 'Video' : 'Picture'} from ${one.exhibit ?? 'the exhibit'}`, why),
    h(
      'figcaption',
      null,
      h('div', { class: 'name' }, ev(one.name ?? one.locator)),
      h(
        'div',
        { class: 'meta' },
        one.lead !== undefined ? h('a', { href: `#/lead/${one.lead}` }, bandTag(one.band ?? ''), ` ${n(one.score)}`) : null,
        one.exhibit ? ev(one.exhibit) : null,
        one.allocated === 0 ? h('span', { class: 'tag warn' }, 'deleted') : null,
      ),
      h(
        'details',
        null,
        h('summary', null, 'Facts'),
        facts([
          ['Taken', one.taken === undefined ? null : time(one.taken, one.basis)],
          ['Camera', one.camera ? ev(one.camera) : null],
          ['GPS', one.latitude !== undefined && one.longitude !== undefined ? `${one.latitude.toFixed(5)}, ${one.longitude.toFixed(5)}` : null],
          ['Pixels', size],
          ['Length', one.duration === undefined ? null : `${n(Math.round(one.duration))} s`],
          ['Type', one.type ? ev(one.type) : null],
          ['Size', bytes(one.size)],
          ['Places', one.places > 1 ? n(one.places) : null],
          ['SHA-256', mono(one.sha256)],
          ['Locator', mono(one.locator)],
        ]),
      ),
    ),
  );
}

export async function picturesPage(root: HTMLElement, params: URLSearchParams, signal: AbortSignal): Promise<void> {
  const pictures = dataset<Picture>('pictures');
  const page = Math.max(0, Number(params.get('page')) || 0);
  const grid = h('div', { class: 'grid' });
  fill(
    root,
    h('h1', null, 'Pictures and videos'),
    h(
      'p',
      { class: 'muted' },
      pictures.rows === 0
        ? 'None was found.'
        : `${plural(pictures.rows, 'picture or video', 'pictures and videos')}, those with leads first. Each is shown blurred; click \u201cShow picture\u201d on one to see it, at most 512 pixels, never the original.`,
    ),
    grid,
  );
  const rows = await pictures.range(page * kPage, (page + 1) * kPage);
  if (signal.aborted) return;
  fill(grid, rows.map(card));
  root.append(pager(page, Math.ceil(pictures.rows / kPage), (next) => go(`#/pictures?page=${next}`)));
}
