// Conversations, read like a chat. A window of messages around where the reader is; the rest is loaded as it comes
// into view and forgotten as it leaves, so that a conversation may have any length.
import { dataset, type Dataset } from './data';
import { announce, ev, fill, folded, h } from './dom';
import { basisTag, clockOf, dayOf, n, plural, time, timeText } from './format';
import { jsonView, pager, picture, sender } from './parts';
import { go } from './route';
import type { Attachment, Conversation, Json, Message } from './types';

const kListPage = 50;
const kWindow = 240;
const kStep = 60;
const kNear = 900;

function participants(value: Json | undefined): string {
  if (!Array.isArray(value)) return typeof value === 'string' ? value : '';
  return value.map((one) => (one && typeof one === 'object' && !Array.isArray(one) ? String(one['name'] ?? one['identifier'] ?? one['value'] ?? '') : String(one))).join(', ');
}

function chatTitle(chat: Conversation): string {
  return chat.title || participants(chat.participants) || chat.name || 'Conversation without a name';
}

function chatLine(chat: Conversation, place: number): HTMLElement {
  return h(
    'a',
    { class: 'chat-line', href: `#/conversation/${place}` },
    h('strong', null, ev(chatTitle(chat))),
    h(
      'span',
      { class: 'meta' },
      ev(chat.app ?? ''),
      chat.exhibit ? ev(chat.exhibit) : null,
      h('span', null, plural(chat.messages, 'message', 'messages')),
      chat.first !== undefined ? h('span', null, timeText(chat.first), ' \u2013 ', timeText(chat.last ?? chat.first)) : null,
      chat.assumed ? basisTag('assumed') : null,
      chat.deleted ? h('span', { class: 'tag warn' }, `${n(chat.deleted)} deleted`) : null,
      chat.recovered ? h('span', { class: 'tag warn' }, `${n(chat.recovered)} recovered`) : null,
      chat.gaps ? h('span', { class: 'tag warn' }, plural(chat.gaps, 'gap', 'gaps')) : null,
      chat.lead !== undefined ? h('span', { class: 'tag decision' }, 'lead') : null,
    ),
  );
}

export async function conversationsPage(root: HTMLElement, params: URLSearchParams, signal: AbortSignal): Promise<void> {
  const chats = dataset<Conversation>('conversations');
  const page = Math.max(0, Number(params.get('page')) || 0);
  const wanted = params.get('q') ?? '';
  const list = h('div', { class: 'list' });
  const input = h('input', { type: 'search', placeholder: 'Name, number or app', 'aria-label': 'Find a conversation' });
  input.value = wanted;
  const form = h('form', { class: 'filters' }, input, h('button', { type: 'submit' }, 'Find'));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    go(`#/conversations?${new URLSearchParams({ q: input.value })}`);
  });
  fill(
    root,
    h('h1', null, 'Conversations'),
    h('p', { class: 'muted' }, chats.rows === 0 ? 'No message was found, or no app definition matched. Coverage lists what was searched.' : `${plural(chats.rows, 'conversation', 'conversations')}, latest first`),
    chats.rows > 0 ? form : null,
    list,
  );
  let places: number[] | undefined;
  if (wanted) {
    const found: number[] = [];
    const needle = folded(wanted);
    await chats.scan(
      (chat, place) => {
        if (folded([chatTitle(chat), chat.name, chat.app, participants(chat.participants)].join(' ')).includes(needle)) found.push(place);
      },
      () => undefined,
      signal,
    );
    places = found;
  }
  const all = places?.length ?? chats.rows;
  const from = page * kListPage;
  const shown = places?.slice(from, from + kListPage) ?? Array.from({ length: Math.max(0, Math.min(kListPage, all - from)) }, (_, i) => from + i);
  const rows = await chats.pick(shown);
  if (signal.aborted) return;
  fill(
    list,
    places && all === 0 ? h('p', { class: 'empty' }, 'No conversation matches.') : null,
    rows.map((chat, i) => chatLine(chat, shown[i] ?? 0)),
    pager(page, Math.ceil(all / kListPage), (next) => go(`#/conversations?${new URLSearchParams({ ...(wanted ? { q: wanted } : {}), page: String(next) })}`)),
  );
}

function attachment(one: Attachment): HTMLElement {
  const kind = one.type?.split('/')[0] ?? 'file';
  const name = one.name ? ev(one.name) : ev(one.item ?? kind);
  if (!one.found) return h('div', { class: 'attachment missing' }, h('span', { class: 'tag warn' }, 'not found on the device'), ' ', name);
  const image = one.preview ? picture(one.preview, 'Attached picture') : null;
  return h('div', { class: 'attachment' }, image, h('div', { class: 'meta' }, h('span', null, one.type ?? kind), name, one.item ? h('a', { href: `#/items?${new URLSearchParams({ q: one.item })}` }, 'Find the file') : null));
}

function bubble(message: Message, place: number): HTMLElement {
  const flags = message.f ?? 0;
  const at = message.t ?? message.r;
  const side = message.d === 'out' ? 'out' : message.d === 'in' ? 'in' : 'unknown';
  return h(
    'div',
    { class: `message ${side}${flags & 1 ? ' deleted' : ''}`, 'data-place': place, tabindex: -1 },
    h('div', { class: 'sender' }, sender(message.s, message.who, message.d, message.e)),
    message.x !== undefined && message.x !== '' ? h('div', { class: 'text' }, ev(message.x, true)) : null,
    (message.a ?? []).map(attachment),
    message.x === undefined && !message.a ? h('div', { class: 'muted' }, 'no text') : null,
    h(
      'div',
      { class: 'when' },
      at === undefined ? 'time unknown' : h('span', { title: timeText(at) }, clockOf(at)),
      message.t === undefined && message.r !== undefined ? h('span', { class: 'tag' }, 'time received') : null,
      basisTag(message.b),
      flags & 1 ? h('span', { class: 'tag warn' }, 'deleted') : null,
      flags & 2 ? h('span', { class: 'tag' }, 'edited') : null,
      flags & 4 ? h('span', { class: 'tag warn' }, 'recovered') : null,
      message.st?.startsWith('guessed') ? h('span', { class: 'tag warn', title: 'No definition knows this database: what looks like a message was taken for one' }, 'guessed') : null,
      message.st ? h('span', null, ev(message.st)) : null,
      message.also ? h('span', { class: 'tag', title: message.also.join('\n') }, `also in ${plural(message.also.length, 'other place', 'other places')}`) : null,
      message.lead !== undefined ? h('a', { href: `#/lead/${message.lead}` }, 'lead') : null,
      h('span', { class: 'source', title: `${message.item ?? ''}\n${message.src ?? ''} row ${message.row ?? ''}` }, `#${n(place + 1)}`),
    ),
  );
}

/** The scrolling window over rows [first, first + count) of all messages. */
class ChatWindow {
  readonly element = h('div', { class: 'chat', tabindex: 0, role: 'log', 'aria-label': 'Messages' });
  private from = 0;
  private to = 0;
  private busy = false;

  constructor(
    private readonly messages: Dataset<Message>,
    private readonly first: number,
    private readonly count: number,
    private readonly moved: (from: number, to: number) => void,
    private readonly signal: AbortSignal,
  ) {
    this.element.addEventListener('scroll', () => void this.refill());
  }

  async show(at: number, focus: boolean): Promise<void> {
    this.from = Math.max(0, Math.min(at - kStep, this.count - kStep));
    this.to = Math.min(this.count, this.from + 2 * kStep);
    const rows = await this.messages.range(this.first + this.from, this.first + this.to);
    if (this.signal.aborted) return;
    fill(this.element, this.blocks(rows, this.from));
    this.tell();
    const target = this.element.querySelector<HTMLElement>(`[data-place="${at}"]`);
    if (target) {
      this.element.scrollTop += target.getBoundingClientRect().top - this.element.getBoundingClientRect().top - (focus ? 90 : 40);
      if (focus) {
        target.classList.add('target');
        target.focus({ preventScroll: true });
      }
    }
  }

  private blocks(rows: Message[], from: number): HTMLElement[] {
    let day = '';
    return rows.map((row, i) => {
      const at = row.t ?? row.r;
      const today = at === undefined ? 'Time unknown' : dayOf(at);
      const block = h('div', { class: 'block', 'data-day': today }, today !== day ? h('div', { class: 'day' }, h('span', null, today)) : null, row.gap ? h('div', { class: 'gap' }, h('span', null, `${plural(row.gap, 'row', 'rows')} missing from the database here`)) : null, bubble(row, from + i));
      day = today;
      return block;
    });
  }

  private async refill(): Promise<void> {
    if (this.busy || this.signal.aborted) return;
    const box = this.element;
    const up = box.scrollTop < kNear && this.from > 0;
    const down = box.scrollHeight - box.scrollTop - box.clientHeight < kNear && this.to < this.count;
    if (!up && !down) return;
    this.busy = true;
    try {
      if (up) await this.grow(Math.max(0, this.from - kStep), this.from, true);
      else await this.grow(this.to, Math.min(this.count, this.to + kStep), false);
    } finally {
      this.busy = false;
    }
    this.tell();
  }

  private async grow(from: number, to: number, above: boolean): Promise<void> {
    const rows = await this.messages.range(this.first + from, this.first + to);
    if (this.signal.aborted) return;
    const blocks = this.blocks(rows, from);
    const box = this.element;
    const anchor = (above ? box.firstElementChild : box.lastElementChild) as HTMLElement | null;
    const before = anchor?.getBoundingClientRect().top ?? 0;
    // A day's heading stands over its first message only.
    const duplicate = (block: HTMLElement | undefined | null, previous: string | undefined) => {
      if (block && block.dataset['day'] === previous) block.querySelector('.day')?.remove();
    };
    if (above) {
      duplicate(anchor, blocks[blocks.length - 1]?.dataset['day']);
      box.prepend(...blocks);
      this.from = from;
      while (box.childElementCount > kWindow) box.lastElementChild?.remove();
      this.to = this.from + box.childElementCount;
    } else {
      duplicate(blocks[0], anchor?.dataset['day']);
      box.append(...blocks);
      this.to = to;
      while (box.childElementCount > kWindow) box.firstElementChild?.remove();
      this.from = this.to - box.childElementCount;
    }
    if (anchor?.isConnected) box.scrollTop += anchor.getBoundingClientRect().top - before;
  }

  private tell(): void {
    this.moved(this.from, this.to);
  }
}

/** First message of the conversation on or after a moment. */
async function placeOf(messages: Dataset<Message>, chat: Conversation, us: number): Promise<number> {
  let low = 0;
  let high = chat.messages;
  while (low < high) {
    const middle = (low + high) >> 1;
    const row = await messages.get(chat.place + middle);
    // Messages without a time stand first.
    if ((row?.t ?? row?.r ?? -Infinity) < us) low = middle + 1;
    else high = middle;
  }
  return Math.min(low, chat.messages - 1);
}

export async function conversationPage(root: HTMLElement, part: string, params: URLSearchParams, signal: AbortSignal): Promise<void> {
  const chat = await dataset<Conversation>('conversations').get(Number(part));
  if (signal.aborted) return;
  if (!chat) {
    fill(root, h('h1', null, 'There is no such conversation'), h('p', null, h('a', { href: '#/conversations' }, 'All conversations')));
    return;
  }
  const messages = dataset<Message>('messages');
  const where = h('span', { class: 'muted', role: 'status' });
  // The scroll bar goes no further than the window: this one goes over the whole conversation.
  const slider = h('input', { type: 'range', min: 0, max: Math.max(0, chat.messages - 1), value: 0, 'aria-label': 'Place in the conversation' });
  const view = new ChatWindow(
    messages,
    chat.place,
    chat.messages,
    (from, to) => {
      fill(where, `Messages ${n(from + 1)}\u2013${n(to)} of ${n(chat.messages)}`);
      if (document.activeElement !== slider) slider.value = String(from);
    },
    signal,
  );
  slider.addEventListener('change', () => void view.show(Number(slider.value), false));
  slider.addEventListener('input', () => fill(where, `Message ${n(Number(slider.value) + 1)} of ${n(chat.messages)}`));
  const date = h('input', { type: 'date', 'aria-label': 'Go to a day' });
  date.addEventListener('change', async () => {
    const ms = Date.parse(`${date.value}T00:00:00Z`);
    if (!Number.isNaN(ms)) await view.show(await placeOf(messages, chat, ms * 1000), true);
  });
  const button = (label: string, at: number) => h('button', { type: 'button', onclick: () => void view.show(at, false) }, label);
  fill(
    root,
    h('p', { class: 'crumbs' }, h('a', { href: '#/conversations' }, 'Conversations')),
    h('h1', null, ev(chatTitle(chat))),
    h(
      'p',
      { class: 'meta' },
      ev(chat.app ?? ''),
      chat.exhibit ? ev(chat.exhibit) : null,
      h('span', null, plural(chat.messages, 'message', 'messages')),
      chat.first !== undefined ? h('span', null, time(chat.first), ' to ', time(chat.last, chat.assumed ? 'assumed' : undefined)) : null,
      chat.account ? h('span', null, 'account ', ev(chat.account)) : null,
      chat.deleted ? h('span', { class: 'tag warn' }, `${n(chat.deleted)} deleted`) : null,
      chat.recovered ? h('span', { class: 'tag warn' }, `${n(chat.recovered)} recovered`) : null,
      chat.gaps ? h('span', { class: 'tag warn' }, plural(chat.gaps, 'gap', 'gaps')) : null,
      chat.lead !== undefined ? h('a', { href: `#/lead/${chat.lead}` }, 'lead about this conversation') : null,
    ),
    chat.participants ? h('details', null, h('summary', null, 'Participants'), jsonView(chat.participants)) : null,
    chat.messages > 0
      ? [h('div', { class: 'chat-tools' }, button('First', 0), button('Last', chat.messages - 1), h('label', { class: 'field' }, h('span', null, 'Go to'), date), chat.messages > kWindow ? slider : null, where), view.element]
      : h('p', { class: 'empty' }, 'No message of it was found.'),
  );
  if (chat.messages === 0) return;
  const at = params.has('at') ? Number(params.get('at')) - chat.place : undefined;
  await view.show(at !== undefined && at >= 0 && at < chat.messages ? at : 0, at !== undefined);
  announce(`Conversation with ${plural(chat.messages, 'message', 'messages')}`);
}
