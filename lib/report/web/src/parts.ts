// Pieces that several pages share.
import { clearPicture } from './data';
import { ev, fill, h } from './dom';
import { n, word } from './format';
import type { Json, Preview, Who } from './types';

export const bandTag = (band: string): HTMLElement => h('span', { class: `tag band ${band}` }, band);
export const stateTag = (state: string): HTMLElement => h('span', { class: `tag state ${state}` }, word(state));

/** A table that becomes a stack of labelled lines on a narrow screen. */
export function table(heads: string[], rows: (Node | string | number | null)[][], numeric: number[] = [], kind = ''): HTMLElement {
  return h(
    'div',
    { class: 'table-wrap' },
    h(
      'table',
      { class: kind },
      h('thead', null, h('tr', null, heads.map((head, i) => h('th', { scope: 'col', class: numeric.includes(i) ? 'num' : undefined }, head)))),
      h(
        'tbody',
        null,
        rows.map((row) =>
          h(
            'tr',
            null,
            row.map((value, i) =>
              h('td', { class: numeric.includes(i) ? 'num' : undefined, 'data-label': heads[i] ?? '' }, typeof value === 'number' ? n(value) : value),
            ),
          ),
        ),
      ),
    ),
  );
}

export function facts(rows: [string, Node | string | number | null | undefined | false][]): HTMLElement {
  const list = h('dl', { class: 'facts' });
  for (const [name, value] of rows) {
    if (value === null || value === undefined || value === false || value === '') continue;
    list.append(h('dt', null, name), h('dd', null, value));
  }
  return list;
}

/** Who wrote a message: the name, the identifier, the role in the case. */
export function sender(identifier: string | undefined, who: Who | undefined, direction: string | undefined, exhibit: string | undefined): HTMLElement {
  if (direction === 'out') return h('span', null, 'owner of ', exhibit ? ev(exhibit) : 'the device');
  if (!identifier && !who?.name) return h('span', null, 'unknown sender');
  const known = who?.name && who.name !== identifier ? [ev(who.name), identifier ? [' \u00b7 ', ev(identifier)] : null] : ev(identifier);
  return h('span', null, known, who?.role ? ` \u00b7 ${who.role}` : null);
}

export const mono = (text: string | undefined): HTMLElement | null => (text ? h('code', null, ev(text)) : null);

/** First, previous, a page by its number, next, last. */
export function pager(page: number, pages: number, go: (page: number) => void): HTMLElement {
  if (pages <= 1) return h('div', { class: 'pager' });
  const button = (label: string, name: string, target: number, usable: boolean) =>
    h('button', { type: 'button', 'aria-label': name, disabled: !usable, onclick: () => go(target) }, label);
  const input = h('input', { type: 'number', min: 1, max: pages, value: page + 1, 'aria-label': 'Page number' });
  input.addEventListener('change', () => {
    const wanted = Math.round(Number(input.value));
    if (wanted >= 1 && wanted <= pages) go(wanted - 1);
  });
  return h(
    'nav',
    { class: 'pager', 'aria-label': 'Pages' },
    button('\u00ab', 'First page', 0, page > 0),
    button('\u2039 Previous', 'Previous page', page - 1, page > 0),
    h('span', null, 'Page ', input, ` of ${n(pages)}`),
    button('Next \u203a', 'Next page', page + 1, page < pages - 1),
    button('\u00bb', 'Last page', pages - 1, page < pages - 1),
  );
}

/** A picture: blurred until this one is asked for, and blurred again at a click. */
export function picture(preview: Preview | undefined, what: string, why = 'No preview'): HTMLElement {
  if (!preview) return h('div', { class: 'picture none' }, h('span', null, why));
  const blurred = `data:image/jpeg;base64,${preview.blur}`;
  const image = h('img', { class: 'blurred', alt: `${what}, blurred`, src: blurred, draggable: 'false' });
  const button = h('button', { type: 'button', class: 'reveal', 'aria-pressed': 'false' }, 'Show picture');
  const box = h('div', { class: 'picture' }, image, button);
  const hide = () => {
    image.className = 'blurred';
    image.src = blurred;
    image.alt = `${what}, blurred`;
    box.classList.remove('shown');
    fill(button, 'Show picture');
    button.setAttribute('aria-pressed', 'false');
  };
  button.addEventListener('click', async () => {
    if (box.classList.contains('shown')) return hide();
    fill(button, 'Loading\u2026');
    try {
      const data = await clearPicture(preview);
      image.className = 'clear';
      image.src = `data:image/jpeg;base64,${data}`;
      image.alt = what;
      box.classList.add('shown');
      button.setAttribute('aria-pressed', 'true');
      fill(button, 'Blur again');
    } catch (error) {
      fill(button, error instanceof Error ? error.message : 'Could not be loaded');
    }
  });
  return box;
}

/** Stored JSON, laid out for reading. */
export function jsonView(value: Json | undefined): HTMLElement {
  if (value === undefined || value === null) return h('span', { class: 'muted' }, 'none');
  if (Array.isArray(value)) {
    if (value.every((one) => one === null || typeof one !== 'object')) return ev(value.map(String).join(', '));
    return h('ul', { class: 'plain' }, value.map((one) => h('li', null, jsonView(one))));
  }
  if (typeof value === 'object') {
    const list = h('dl', { class: 'facts' });
    for (const [name, one] of Object.entries(value)) list.append(h('dt', null, ev(word(name))), h('dd', null, jsonView(one)));
    return list;
  }
  return ev(String(value));
}

export function command(text: string): HTMLElement {
  const copy = h('button', { type: 'button', class: 'copy' }, 'Copy');
  const code = h('code', { dir: 'ltr' }, text);
  copy.addEventListener('click', () => {
    const range = document.createRange();
    range.selectNodeContents(code);
    const selection = window.getSelection();
    selection?.removeAllRanges();
    selection?.addRange(range);
    // The clipboard interface is not there on file:// in every browser; the selection stays for Ctrl+C.
    const done = document.execCommand('copy');
    fill(copy, done ? 'Copied' : 'Press Ctrl+C');
  });
  return h('div', { class: 'command' }, code, copy);
}

export function progressBar(label: string, stop: () => void): { element: HTMLElement; set(done: number, all: number, text: string): void; end(text: string): void } {
  const bar = h('progress', { max: 1, value: 0, 'aria-label': label });
  const text = h('span', { role: 'status' }, label);
  const button = h('button', { type: 'button', onclick: stop }, 'Stop');
  return {
    element: h('div', { class: 'progress' }, bar, text, button),
    set(done, all, words) {
      bar.value = all > 0 ? done / all : 1;
      fill(text, words);
    },
    end(words) {
      bar.remove();
      button.remove();
      fill(text, words);
    },
  };
}

export const select = (label: string, options: [string, string][], value: string, change: (value: string) => void): HTMLElement => {
  const element = h(
    'select',
    null,
    options.map(([key, text]) => h('option', { value: key, selected: key === value }, text)),
  );
  element.addEventListener('change', () => change(element.value));
  return h('label', { class: 'field' }, h('span', null, label), element);
};
