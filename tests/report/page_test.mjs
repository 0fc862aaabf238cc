// The report page in a real browser, opened from disk: nothing is requested but files beside it, hostile text stays text and is
// found, the numbers are those that were put in, no picture is shown that nobody asked for. Exit code 77: no browser.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const options = {};
for (let i = 2; i < process.argv.length; i += 2) options[process.argv[i].slice(2)] = process.argv[i + 1];
if (!options.browser || !existsSync(options.browser)) {
  console.log('SKIPPED: no Chromium here (apt-get install chromium)');
  process.exit(77);
}
const { chromium } = createRequire(join(options.modules, 'x.js'))('playwright-core');

let passed = 0;
let failed = 0;
function check(what, actual, expected = true) {
  const a = JSON.stringify(actual);
  const e = JSON.stringify(expected);
  if (a === e) passed++;
  else {
    failed++;
    console.log(`FAILED: ${what}\n  expected ${e?.slice(0, 600)}\n  got      ${a?.slice(0, 600)}`);
  }
}
function run(program, ...args) {
  const result = spawnSync(program, args, { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${program}: ${result.stderr || result.error}`);
}

rmSync(options.work, { recursive: true, force: true });
mkdirSync(options.work, { recursive: true });
const dir = join(options.work, 'case #1 %41'); // a folder whose name needs escaping in a file: address
run(options.make, dir);
run(options.write, dir);
const expected = JSON.parse(readFileSync(join(dir, 'expected.json'), 'utf8'));
const index = pathToFileURL(join(dir, 'report', 'index.html')).href;

const profile = mkdtempSync(join(options.work, 'profile-'));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: options.browser,
  headless: true,
  viewport: { width: 1280, height: 720 },
  acceptDownloads: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const page = context.pages()[0] ?? (await context.newPage());
page.setDefaultTimeout(20_000);
const complaints = [];
const requests = [];
page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
page.on('dialog', (dialog) => {
  complaints.push(`dialog: ${dialog.message()}`);
  void dialog.dismiss();
});
page.on('request', (request) => requests.push(request.url()));

const visit = async (hash) => {
  await page.goto('about:blank');
  await page.goto(`${index}#/${hash}`);
  await page.waitForSelector('[data-ready]');
};
const text = () => page.evaluate(() => document.getElementById('main').innerText);
const loaded = (name) => requests.filter((url) => new RegExp(`/data/${name}-\\d+\\.js$`).test(url));
const numbers = (words) => words.map((word) => Number(word.replace(/,/g, '')));

async function frontPage() {
  await visit('');
  check('the front page loads the summary and no other data', requests.filter((url) => url.includes('/data/')).map((url) => url.replace(/.*\//, '')), ['summary-0.js']);
  const shown = await text();
  check('the front page names the case', shown.includes('EXAMPLE/24'));
  check('it is loud about the volume that is not supported', shown.includes('Volume p3 of ABC/2 was not read: unsupported'));
  check('it is loud about the encrypted volume', shown.includes('Volume p4 of ABC/2 was not read: encrypted'));
  await page.click('.notice summary');
  check('it says how much was out of scope', (await text()).includes('125 items of ABC/2 were out of scope and not looked at'));
  check('it does not say what the reason of a volume says already', !(await text()).includes('File system: btrfs'));
  check('it says that an exhibit has no role', (await text()).includes('ABC/2 has no role'));
  check('it says that a model is missing', (await text()).includes('Model missing: explicit'));
  const tops = await page.$$eval('.lane', (lanes) => lanes.map((lane) => [...lane.querySelectorAll('.top .score')].map((score) => Number(score.textContent))));
  check('lanes are named by what they may mean', await page.$$eval('.lane h2', (all) => all.map((one) => one.textContent)), ['May support the allegation', 'May undermine the case or assist the defence']);
  check('both headings are on the first screen', await page.$$eval('.lane h2', (all) => all.every((one) => one.getBoundingClientRect().bottom < 720)));
  const links = await page.$$eval('.top a.title', (all) => all.map((one) => one.getAttribute('href')));
  check('a message is not shown beside its conversation', [links.includes('#/lead/0'), links.includes('#/lead/1')], [false, true]);
  check('both lanes are there, each in order', tops.map((scores) => scores.length > 2 && scores.every((score, i) => i === 0 || score <= scores[i - 1])), [true, true]);
  const rows = await page.$$eval('table.exhibits tbody tr', (all) => all.map((row) => [row.querySelector('strong').textContent, [...row.querySelectorAll('td.num')].map((cell) => cell.textContent)]));
  for (const [ref, cells] of rows) {
    const counts = numbers(cells);
    const states = expected.states[ref];
    const sum = Object.values(states).reduce((a, b) => a + b, 0);
    const outOfScope = counts.pop();
    check(`items of ${ref}`, counts.pop(), sum);
    check(`states of ${ref} add up`, counts.reduce((a, b) => a + b, 0), sum);
    check(`out of scope of ${ref}`, outOfScope, ref === 'ABC/2' ? 125 : 0);
  }
  check('both exhibits are listed, the one with the best lead first', rows.map(([ref]) => ref), ['ABC/1', 'ABC/2']);
}

async function coverage() {
  await visit('coverage');
  const rows = await page.$$eval('table.states', ([table]) => [...table.querySelectorAll('tbody tr')].map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent)));
  const heads = await page.$$eval('table.states', ([table]) => [...table.querySelectorAll('th')].map((cell) => cell.textContent.replace(' ', '_')));
  for (const [ref, ...cells] of rows.slice(0, 2)) {
    const states = Object.fromEntries(heads.slice(1, -1).map((state, i) => [state, numbers(cells)[i]]));
    check(`coverage of ${ref}`, Object.fromEntries(Object.entries(states).sort()), expected.states[ref]);
  }
  await page.waitForSelector('text=no hit');
  const shown = await text();
  check('searches without a hit are listed', shown.includes('threat-to-share') && shown.includes('2 found nothing'));
  check('searches that never ran are not taken for searches without a hit', shown.includes('2 were not run'));
  const made = await page.$$eval('td[data-label="Search"]', (all) => all.map((cell) => [...cell.parentElement.children].map((one) => one.textContent)));
  const row = (exhibit, rule) => made.find((cells) => cells[3] === exhibit && cells[1].includes(rule)) ?? [];
  check('what an app definition finds are records', row('ABC/1', 'whatsapp')[0], `${(expected.messages + expected.copies).toLocaleString('en-GB')} records`);
  check('an app that is not there was not run', [row('ABC/2', 'whatsapp')[0], row('ABC/2', 'whatsapp')[5]], ['not run', 'nothing that it may look at within the scope']);
  check('a search that did not run says why', [row('ABC/2', 'coercion')[0], row('ABC/2', 'coercion')[5]], ['not run', '2failed2']);
  check('problems are listed as text', shown.includes('ended by signal 11 <b>twice</b>'));
}

async function leads() {
  for (const lane of ['towards', 'away']) {
    await visit(`leads?lane=${lane}&messages=all`);
    const keys = [];
    for (;;) {
      for (const button of await page.$$('.expander')) await button.click();
      keys.push(...(await page.$$eval('.lead', (all) => all.map((one) => [...one.querySelectorAll('dt')].find((dt) => dt.textContent === 'Key').nextSibling.textContent))));
      const next = await page.$('button[aria-label="Next page"]:not([disabled])');
      if (!next) break;
      // The old view stays until the address has changed: wait for another one.
      await page.$eval('[data-ready]', (view) => (view.dataset.old = 'yes'));
      await next.click();
      await page.waitForSelector('[data-ready]:not([data-old])');
    }
    check(`all leads of the lane ${lane}, in order`, keys, expected.leads[lane]);
  }
  await visit('leads');
  check('a message stands within the lead of its conversation', await page.$$eval('.list > .lead h3', (all) => all.slice(0, 2).map((one) => one.textContent)), ['Sam Example: 9 messages around the alleged time', expected.hostile[0]]);
  check('and is said to', (await text()).includes('1 more is a message shown within its conversation'));
  await page.click('.inside summary');
  check('its conversation leads to it', await page.getAttribute('.inside a', 'href'), '#/lead/0');
  await visit('leads?kind=message');
  check('it is listed where its conversation is not', await page.$$eval('.list > .lead h3', (all) => all.length), 1);
  await visit('lead/0');
  check('a message names who wrote it', (await page.textContent('.quote')).includes('Sam (work) \u00b7 +447700900200 \u00b7 complainant'));
  const shown = await text();
  check('reasons add up to the score', shown.includes('870\tpoints in all, which is the score'));
  check('a reason says which finding it rests on', shown.includes('Found by pictures 0.1.0, rule exif/gps, confidence 900 of 1,000'));
  check('the image can be checked', shown.includes("ewfverify '/cases/example/phone one'\\''s.E01'"));
  check('the file can be checked', shown.includes("icat '/cases/example/phone one'\\''s.E01' 1 | sha256sum"));
  check('the row can be checked', shown.includes('sqlite3 evidence.db \'SELECT * FROM "message" WHERE rowid = 1151\''));
  await page.click('text=Read it in its conversation');
  await page.waitForSelector('.message.target');
  check('a lead leads to its message', (await page.textContent('.message.target')).includes('the needle in the middle'));
}

async function pictures() {
  requests.length = 0;
  await visit('pictures');
  check('pictures are blurred', (await page.$$('img.clear')).length === 0 && (await page.$$('img.blurred')).length > 20);
  check('no clear rendition is loaded before it is asked for', loaded('clear'), []);
  await page.click('.thumb .reveal');
  await page.waitForSelector('img.clear');
  check('one click loads one clear rendition', loaded('clear').length, 1);
  const width = await page.$eval('img.clear', async (image) => (await image.decode(), image.naturalWidth));
  check('it is a picture', width, 512);
  await page.click('.thumb .reveal');
  check('and it can be blurred again', (await page.$$('img.clear')).length, 0);
}

async function hostileText() {
  const controls = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
  const visible = (one) => one.replace(controls, (c) => (c < ' ' ? String.fromCharCode(0x2400 + c.charCodeAt(0)) : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`));
  for (const hostile of expected.hostile) {
    const marker = hostile.match(/marker-\w+/)[0];
    await visit(`search?${new URLSearchParams({ q: marker })}`);
    const hits = await page.$$eval('.hit', (all) => all.map((one) => one.textContent));
    const wanted = visible(hostile).slice(0, 200);
    check(`${marker} is found and shown as it is`, hits.some((hit) => hit.includes(wanted)));
    check(`${marker} is found as a message and as an item`, hits.length >= 2);
  }
  await visit(`search?${new URLSearchParams({ q: 'HOLIDAYGPJ.EXE' })}`);
  check('a name with a reversed part is found by its letters', (await page.$$('.hit')).length >= 2);
  await visit(`search?${new URLSearchParams({ q: 'sam (work)' })}`);
  check('messages are found by the name of a contact', (await page.$$('.hit')).length > 100);
  for (const hash of ['conversation/1', 'conversations', `items?${new URLSearchParams({ q: 'marker' })}`, 'lead/2', 'leads', 'method']) await visit(hash);
  const marks = await page.evaluate(() => [document.title, document.querySelectorAll('script').length, document.querySelectorAll('svg, iframe, object').length]);
  check('nothing from evidence became markup', marks, ['EXAMPLE/24 \u2013 Touchstone report', 1, 0]);
}

async function diary() {
  await visit('diary');
  const cards = () => page.$$eval('article', (all) => all.map((one) => one.innerText));
  const all = await cards();
  check('entries and notes are listed', all.length, expected.diary);
  check('in the order of their time', all[0].includes('Diary marker-entry'));
  for (const part of ['The flat', 'bring the key', 'FREQ=WEEKLY', 'zone assumed', 'B. Witness', 'k@example.com', 'Sam (work)'])
    check(`an entry says ${part}`, all[0].includes(part));
  check('what was deleted is marked', all.filter((one) => /\bdeleted\b/.test(one)).length, 1);
  await visit('diary?kind=note');
  check('notes alone', (await cards()).length, expected.diary - 1);
  await visit(`diary?${new URLSearchParams({ q: 'B. WITNESS' })}`);
  check('an entry is found by who takes part', (await cards()).length, 1);
  await visit(`search?${new URLSearchParams({ q: 'marker-entry' })}`);
  check('the search goes through them', (await page.$$eval('.hit', (hits) => hits.map((one) => one.getAttribute('href')))).some((href) => href?.startsWith('#/diary?')));
}

async function conversations() {
  await visit('conversation/0');
  const senders = new Set(await page.$$eval('.message .sender', (all) => all.map((one) => one.textContent)));
  check('a bubble names its sender', ['Sam (work) \u00b7 +447700900200 \u00b7 complainant', 'owner of ABC/1'].map((one) => senders.has(one)), [true, true]);
  const box = () => page.$eval('.chat', (chat) => [chat.childElementCount, chat.lastElementChild.querySelector('.source').textContent]);
  for (let i = 0; i < 40; i++) {
    await page.$eval('.chat', (chat) => (chat.scrollTop = chat.scrollHeight));
    await page.waitForTimeout(40);
  }
  const [blocks, last] = await box();
  check('scrolling goes on to the last message', last, '#2,100');
  check('and keeps few messages in the page', blocks <= 240);
  const order = await page.$$eval('.source', (all) => all.map((one) => Number(one.textContent.replace(/[#,]/g, ''))));
  check('messages stand in order without gaps', order.every((place, i) => i === 0 || place === order[i - 1] + 1));
  await visit('conversation/0');
  check('an attachment that is not there is said to be missing', (await text()).includes('not found on the device VID-gone <b>.mp4'));
  check('rows that are missing are said to be, where they are', await page.$$eval('.block', (all) => all.slice(0, 8).map((one) => one.querySelector('.gap')?.textContent ?? '')), ['', '', '', '3 rows missing from the database here', '', '', '', '']);
  const copies = await page.$$eval('.message', (all) => all.slice(0, 8).map((one) => one.querySelector('.when [title*=", message row "]')?.textContent ?? ''));
  check('a message that a backup holds too is shown once, with the other place', copies, ['', '', '', '', 'also in 1 other place', '', '', '']);
  await page.fill('input[type=date]', '2024-05-06');
  await page.waitForSelector('.message.target');
  check('a day can be gone to', (await page.$eval('.message.target', (one) => one.parentElement.dataset.day)), 'Monday, 6 May 2024');
}

/** A conversation of 100,000: what the page holds and loads does not depend on how long it is. */
async function manyMessages() {
  const many = join(options.work, 'many');
  // Seven in ten messages are of the first conversation.
  run(options.make, many, '--messages', '142900', '--items', '300', '--leads', '20');
  run(options.write, many);
  const before = requests.length;
  await page.goto('about:blank');
  await page.goto(`${pathToFileURL(join(many, 'report', 'index.html')).href}#/conversation/0`);
  await page.waitForSelector('.message');
  const count = Number((await page.textContent('.chat-tools [role=status]')).replace(/.* of |,/g, ''));
  check(`the long conversation is long (${count})`, count >= 100_000);
  const nodes = () => page.evaluate(() => document.querySelectorAll('*').length);
  check('opening it makes few elements', (await nodes()) < 4000);
  const told = () => page.waitForFunction((last) => document.querySelector('.chat-tools [role=status]').textContent.includes(last), `${count.toLocaleString('en-GB')} of `);
  await page.click('.chat-tools button:has-text("Last")');
  await told();
  for (let i = 0; i < 30; i++) {
    await page.$eval('.chat', (chat) => (chat.scrollTop = 0));
    await page.waitForTimeout(20);
  }
  check('scrolling through it keeps few elements', (await nodes()) < 8000);
  check('and few messages', (await page.$$('.message')).length <= 240);
  await page.$eval('.chat-tools input[type=range]', (slider) => {
    slider.value = '50000';
    slider.dispatchEvent(new Event('change'));
  });
  await page.waitForSelector('.message[data-place="50000"]');
  check('its middle is one step away', (await page.$$('.message')).length <= 240);
  const fetched = requests.slice(before).filter((url) => /\/many\/report\/data\/messages-\d+\.js$/.test(url)).length;
  check(`little of it was loaded (${fetched} parts)`, fetched > 0 && fetched <= 20);
}

async function decisions() {
  await visit('lead/0');
  await page.fill('.decide textarea', 'note with <b> & "quotes"');
  await page.click('.decide button:has-text("Undermines")');
  await visit('leads');
  check('a decision is remembered', (await page.textContent('.lead .decision')).trim(), 'Undermines');
  await visit('decisions');
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('text=Save decisions as a file')]);
  const path = join(options.work, 'decisions.json');
  await download.saveAs(path);
  const saved = JSON.parse(readFileSync(path, 'utf8'));
  check('decisions are saved as a file', [saved.schema, saved.decisions.map((one) => [one.subject_key, one.decision, one.note])], ['touchstone.decisions/1', [['lead|001', 'undermines', 'note with <b> & "quotes"']]]);
  await page.evaluate(() => localStorage.clear());
  await visit('decisions');
  await page.setInputFiles('#import', path);
  await page.waitForSelector('.line');
  check('and taken over from one', (await text()).includes('note with <b> & "quotes"'));
}

async function layout() {
  for (const [width, height] of [[1280, 720], [390, 800]]) {
    await page.setViewportSize({ width, height });
    for (const hash of ['', 'leads', 'leads?lane=away', 'lead/0', 'lead/2', 'lead/3', 'conversations', 'conversation/1', 'pictures', 'diary', 'items', 'coverage', 'method', 'decisions', 'search?q=marker']) {
      await visit(hash);
      await page.waitForTimeout(80);
      const [content, view] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
      check(`no sideways scrolling at ${width} in "${hash}" (${content} of ${view})`, content <= view);
    }
  }
  await page.setViewportSize({ width: 1280, height: 720 });
}

async function keyboard() {
  await visit('leads');
  await page.keyboard.press('/');
  check('the slash goes to the search', await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Search the report');
  await page.focus('.expander');
  await page.keyboard.press('Enter');
  check('a lead opens with Enter', await page.getAttribute('.expander', 'aria-expanded'), 'true');
}

try {
  for (const part of [frontPage, coverage, leads, pictures, hostileText, diary, conversations, manyMessages, decisions, layout, keyboard]) {
    await part().catch((error) => {
      failed++;
      console.log(`FAILED: ${part.name}: ${error.message}`);
    });
    const foreign = requests.filter((url) => !/^(file|data|about|blob):/.test(url));
    check(`${part.name}: no request leaves the folder`, foreign, []);
    check(`${part.name}: the browser complains about nothing`, complaints.splice(0), []);
  }
} finally {
  await context.close();
}
rmSync(profile, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
