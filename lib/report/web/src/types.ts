// What the C++ writers put into the chunks (lib/report/page_*.cpp). Optional: absent in the case database.
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

export interface Index {
  rows: number;
  starts: number[];
  kinds?: string[];
  exhibits?: string[];
}
export interface Preview {
  blur: string;
  clear: number;
  w: number;
  h: number;
}
export interface Reason {
  rule?: string;
  points?: number;
  text?: string;
  finding?: string;
  by?: Finding;
}
export interface Finding {
  plugin: string;
  plugin_version?: string;
  rule: string;
  confidence?: number;
  position?: string;
  detail?: Json;
}
export interface ItemFacts {
  locator?: string;
  name?: string;
  path?: string;
  kind?: string;
  allocated?: number;
  size?: number;
  created?: number;
  modified?: number;
  accessed?: number;
  changed?: number;
  time_basis?: string;
  media_type?: string;
  md5?: string;
  sha1?: string;
  sha256?: string;
  state?: string;
  reason?: string;
  exhibit?: string;
}
/** What the device's address book or the case file calls somebody. */
export interface Who {
  name?: string;
  role?: string;
}
export interface MessageFacts {
  who?: Who;
  app?: string;
  account?: string;
  sender?: string;
  recipients?: string;
  body?: string;
  sent?: number;
  received?: number;
  time_basis?: string;
  direction?: string;
  deleted?: number;
  edited?: number;
  recovered?: number;
  source_table?: string;
  source_row?: string;
  place?: number;
  chat?: number;
}
export interface Decision {
  decision: string;
  note?: string;
  who?: string;
  at?: number;
}
export type Lane = 'towards' | 'away';
export interface Lead {
  key: string;
  lane: Lane;
  band: string;
  score: number;
  kind: string;
  title?: string;
  reasons: Reason[];
  places?: number;
  also_at?: string[];
  exhibit: string;
  item: ItemFacts;
  message?: MessageFacts;
  record?: { [name: string]: Json };
  chat?: number;
  inside?: { all: number; leads: InsideLead[] };
  picture?: { taken?: number; time_basis?: string; camera?: string; latitude?: number; longitude?: number };
  preview?: Preview;
  check: [string, string][];
  decisions?: Decision[];
}
/** A message's lead as its conversation's lead lists it. */
export interface InsideLead {
  place: number;
  key: string;
  decisions?: Decision[];
  score: number;
  title?: string;
  body?: string;
}
export interface LeadIndex {
  inside: number[];
  lanes: string;
  bands: string;
  kinds: number[];
  exhibits: number[];
}
export interface TopLead {
  place: number;
  key: string;
  kind: string;
  band: string;
  score: number;
  title?: string;
  reasons: Reason[];
  places?: number;
  name?: string;
  locator?: string;
  exhibit?: string;
  time?: number;
  basis?: string;
  sender?: string;
  body?: string;
  direction?: string;
  inside?: number;
}
export interface Conversation {
  app?: string;
  account?: string;
  name?: string;
  exhibit?: string;
  place: number;
  messages: number;
  first?: number;
  last?: number;
  assumed?: number;
  deleted?: number;
  recovered?: number;
  title?: string;
  participants?: Json;
  gaps?: number;
  lead?: number;
}
export interface Attachment {
  found: boolean;
  name?: string;
  type?: string;
  item?: string;
  size?: number;
  preview?: Preview;
}
export interface Message {
  k: string;
  s?: string;
  e?: string;
  who?: Who;
  to?: Json;
  ton?: string[];
  x?: string;
  t?: number;
  r?: number;
  b?: string;
  d?: string;
  st?: string;
  f?: number;
  a?: Attachment[];
  src?: string;
  row?: string;
  item?: string;
  lead?: number;
  also?: string[];
  /** Rows that are missing from the table just before this message. */
  gap?: number;
}
export interface Picture {
  kind: string;
  locator: string;
  places: number;
  w?: number;
  h?: number;
  duration?: number;
  taken?: number;
  basis?: string;
  camera?: string;
  latitude?: number;
  longitude?: number;
  name?: string;
  size?: number;
  sha256?: string;
  allocated?: number;
  type?: string;
  exhibit?: string;
  lead?: number;
  score?: number;
  band?: string;
  lane?: Lane;
  preview?: Preview;
  why?: string;
}
/** locator, state, kind, size, allocated, media type, modified, time basis, sha256, md5, name, reason */
export type ItemRow = [string, string, string, number, number, string?, number?, string?, string?, string?, string?, string?];
export interface Problem {
  key: string;
  kind: string;
  exhibit?: string;
  item?: string;
  content?: string;
  plugin?: string;
  message?: string;
}
export interface Search {
  exhibit?: string;
  plugin: string;
  rule: string;
  version?: string;
  title?: string;
  ran_over?: number;
  hits?: number;
  records?: number;
  not_run?: number;
  reasons?: Json;
}
export interface Exhibit {
  ref: string;
  role: string;
  path: string;
  format?: string;
  size?: number;
  verified?: number;
  stored: number;
  counts: { [state: string]: number };
  items: number;
  out_of_scope: number;
  bands: { [lane: string]: { [band: string]: number } };
  best: number;
}
export interface Warning {
  level: 'bad' | 'warn' | 'note';
  title: string;
  text: string;
  link: string;
}
export interface Summary {
  case: { reference: string | null; title: string | null; time_zone: string | null; fingerprint: string };
  run: { started?: number; finished?: number; version?: string; operator?: string; complete?: number };
  totals: { [name: string]: number };
  exhibits: Exhibit[];
  bands: { [lane: string]: { [band: string]: number } };
  warnings: Warning[];
  top: { towards: TopLead[]; away: TopLead[] };
  previews: number;
  datasets: { [name: string]: Index };
}
export interface DiaryPerson {
  id: string;
  name?: string;
  role?: string;
}
/** A calendar entry or a note; absent is what is not known. */
export interface DiaryEntry {
  kind: 'event' | 'note';
  exhibit?: string;
  app?: string;
  account?: string;
  folder?: string;
  title?: string;
  body?: string;
  starts?: number;
  ends?: number;
  all_day?: number;
  created?: number;
  modified?: number;
  time_basis?: string;
  place?: string;
  organiser?: DiaryPerson;
  participants?: DiaryPerson[];
  /** Set where more take part than are named. */
  participants_all?: number;
  repeats?: string;
  locked?: number;
  status?: string;
  deleted?: number;
  recovered?: number;
  locator?: string;
  source_table?: string;
  source_row?: string;
  /** Place among the leads. */
  lead?: number;
}
export interface Coverage {
  states: { exhibit?: string; volume?: string; state: string; items: number }[];
  kinds: { exhibit?: string; kind: string; allocated: number; items: number }[];
  volumes: {
    exhibit?: string;
    slot: string;
    parent?: string;
    offset?: number;
    size?: number;
    kind?: string;
    filesystem?: string;
    label?: string;
    state: string;
    reason?: string;
  }[];
  problems: { kind: string; plugin?: string; problems: number }[];
  damaged: { exhibit: string; offset: number; length: number; reason: string; items: { item: string; offset: number; length: number }[]; count: number }[];
  out_of_scope: { exhibit?: string; volume?: string; rule: string; items: number }[];
}
export interface Method {
  runs: {
    started?: number;
    finished?: number;
    version?: string;
    command?: string;
    operator?: string;
    settings?: Json;
    fingerprint?: string;
    components?: Json;
    complete?: number;
  }[];
  plugins: { [name: string]: string }[];
  rules: { path: string; sha256: string; kind?: string; id?: string; version?: string; title?: string }[];
  exhibits: {
    ref: string;
    role: string;
    path: string;
    format?: string;
    size?: number;
    md5?: string;
    sha1?: string;
    sha256?: string;
    stored_md5?: string;
    stored_sha1?: string;
    verified?: number;
    metadata?: Json;
  }[];
  missing_models: { plugin?: string; message?: string; times: number }[];
  sandbox_level: Json;
  sandbox: { message?: string }[];
}
