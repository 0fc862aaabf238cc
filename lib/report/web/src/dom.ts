// Building the page. Text only ever becomes text nodes: nothing from evidence is parsed as markup, and there is no
// way in here to do so.
type Child = Node | string | number | null | undefined | false | Child[];
type Handler = (event: Event) => void;
type Props = { [name: string]: string | number | boolean | undefined | null | Handler };

const kLinkPrefixes = ['#', 'blob:', 'data:application/json'];

function append(parent: Node, child: Child): void {
  if (child === null || child === undefined || child === false) return;
  if (Array.isArray(child)) child.forEach((one) => append(parent, one));
  else parent.appendChild(child instanceof Node ? child : document.createTextNode(String(child)));
}

export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props?: Props | null, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.replace(/^on/, ''), value);
    else if (name === 'href' && !kLinkPrefixes.some((prefix) => String(value).startsWith(prefix))) continue;
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  append(element, children);
  return element;
}

export function fill(parent: Element, ...children: Child[]): void {
  parent.replaceChildren();
  append(parent, children);
}

// Controls, bidirectional controls, line separators, byte-order mark.
const kControls = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

function visible(control: string): string {
  const code = control.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return '\u2421';
  return '\\u' + code.toString(16).padStart(4, '0');
}

/** Text from evidence: isolated, so that it cannot reorder what stands beside it, with its controls made visible. */
export function ev(text: unknown, lines = false): HTMLElement {
  const element = h('bdi', { class: lines ? 'ev lines' : 'ev' });
  const source = String(text ?? '');
  let from = 0;
  for (const match of source.matchAll(kControls)) {
    if (lines && (match[0] === '\n' || match[0] === '\t')) continue;
    const at = match.index ?? 0;
    if (at > from) element.append(source.slice(from, at));
    const code = match[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
    element.append(h('span', { class: 'ctl', title: `control character U+${code}` }, visible(match[0])));
    from = at + 1;
  }
  if (from < source.length) element.append(source.slice(from));
  return element;
}

/** What two texts are compared by in a search: case, width and invisible characters do not matter. */
export function folded(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, '')
    .replace(/\s+/g, ' ');
}

export function announce(text: string): void {
  const live = document.getElementById('live');
  if (live) live.textContent = text;
}
