/**
 * Every kind of rule in one component, told by parameters what to read.
 *
 * The same as `rules-examples/rust/all-kinds`, where the parameters are
 * explained. One exported object per kind, named after its interface.
 */

import * as access from 'idr:rules/access@0.1.2';
import * as account from 'idr:rules/account@0.1.2';
import * as baseline from 'idr:rules/baseline@0.1.2';
import * as entitlements from 'idr:rules/entitlements@0.1.2';
import * as log from 'idr:rules/log@0.1.2';
import { parameter } from 'idr:rules/parameters@0.1.2';
import * as roles from 'idr:rules/roles@0.1.2';
import * as subject from 'idr:rules/subject@0.1.2';
import * as tierAccounts from 'idr:rules/tiers@0.1.2';
import * as time from 'idr:rules/time@0.1.2';
import { declined, failed, invalid } from './bindings/idr.js';

/** An empty zone is the identity's own, or else the tenant's. */
const THEIR_ZONE = '';

export const accountCorrelation = {
  correlate() {
    const number = draw() % 7n;
    if (number === 0n) throw byChance();
    return lookup(number);
  },
};

export const identityCreation = {
  create() {
    const number = draw() % 5n;
    if (number === 0n) throw byChance();
    if (number === 1n) return { tag: 'skip', val: 'by chance' };
    return { tag: 'create', val: { name: `v${number}`, identityType: null } };
  },
};

export const beforeRefresh = { propose: () => proposals(draw()) };

export const afterRefresh = { propose: () => proposals(draw()) };

export const valueChange = {
  propose(attribute, oldValue, newValue) {
    const drawn = draw();
    return proposals(stirred(drawn, [attribute, spoken(oldValue), spoken(newValue)].join('/')));
  },
};

function proposals(drawn) {
  switch (drawn % 7n) {
    case 0n: throw byChance();
    case 1n: return [];
    case 2n: return [{ attribute: 'team', value: null }];
    case 3n: return [proposal('department', drawn)];
    case 4n: return [proposal('location', drawn)];
    default: return [proposal('team', drawn), proposal('location', drawn + 1n)];
  }
}

const proposal = (attribute, number) => ({ attribute, value: text(`v${number % 4n}`) });

export const managerCorrelation = {
  correlate(manager) {
    const drawn = draw();
    if (manager.tag !== 'text') throw invalid('the manager is no text');
    const number = stirred(drawn, manager.val) % 7n;
    if (number === 0n) throw byChance();
    return lookup(number);
  },
};

function lookup(drawn) {
  if (drawn === 1n) return null;
  const attribute = drawn === 2n || drawn === 3n ? 'location' : 'title';
  return { attribute, value: `v${drawn % 4n}` };
}

export const attributePromotion = {
  promote(attribute) {
    if (attribute === 'echo') {
      const val = lastRead();
      return val === null ? { tag: 'clear' } : { tag: 'set', val };
    }
    const number = draw() % 9n;
    switch (number) {
      case 0n: return { tag: 'clear' };
      case 1n: return { tag: 'next' };
      case 2n: throw byChance();
      default: return { tag: 'set', val: text(`v${number % 4n}`) };
    }
  },
};

export const lifecycleState = {
  state() {
    const goneWithout = parameter('gone-without');
    if (goneWithout?.tag === 'text') {
      const accounts = subject.accounts(goneWithout.val);
      if (accounts.every(({ status }) => status === 'vanished')) return 'gone';
    }
    switch (draw() % 8n) {
      case 0n: throw byChance();
      case 1n: return 'no such state';
      case 2n: return 'gone';
      case 3n:
      case 4n: return 'leave';
      default: return 'active';
    }
  },
};

export const roleAssignment = {
  assign(candidates) {
    const drawn = draw();
    if (drawn % 11n === 0n) throw byChance();
    return candidates.map((_, index) => eligibility(drawn + BigInt(index)));
  },
};

function eligibility(number) {
  switch (number % 5n) {
    case 0n:
    case 1n: return { tag: 'yes' };
    case 2n: return { tag: 'cannot-tell', val: 'by chance' };
    default: return { tag: 'no' };
  }
}

export const identityTrigger = {
  fires() {
    const number = draw() % 5n;
    if (number === 0n) throw byChance();
    return number % 2n === 0n;
  },
};

export const logicalAccount = {
  compose(application) {
    const drawn = stirred(draw(), application);
    const tiers = textParameter('tiers');
    const accounts = tierAccounts
      .accounts(tiers)
      .filter(({ status }) => status !== 'vanished');
    const part = ({ nativeIdentity }) => ({ application: tiers, nativeIdentity });
    switch (drawn % 7n) {
      case 0n: throw byChance();
      case 1n: return [];
      case 2n: // One of all.
        return accounts.slice(0, 1).map(({ status }) => ({
          nativeIdentity: `v${drawn % 4n}`, status, attributes: [], parts: accounts.map(part),
        }));
      default: // One of each.
        return accounts.map((account, index) => {
          const level = text(`v${(drawn + BigInt(index)) % 4n}`);
          const { nativeIdentity, status } = account;
          const attributes = [{ name: 'level', value: level }];
          return { nativeIdentity, status, attributes, parts: [part(account)] };
        });
    }
  },
};

export const policy = {
  judge(policy) {
    const drawn = stirred(draw(), policy);
    switch (drawn % 7n) {
      case 0n: throw byChance();
      case 1n:
      case 2n: return [];
      case 3n: return violations('by chance', access.roles().map(role));
      case 4n: return violations('by chance', granted());
      default:
        return access
          .roles()
          .flatMap((name, index) => violations(`v${(drawn + BigInt(index)) % 4n}`, [role(name)]));
    }
  },
};

const role = (name) => ({ tag: 'role', val: name });

/** A violation, if anything breaks the policy. */
const violations = (description, grants) => (grants.length > 0 ? [{ description, grants }] : []);

/** The entitlements of the access that `held` names. */
function granted() {
  if (parameter('held') === null) return [];
  const [application, attribute = ''] = textParameter('held').split(' ', 2);
  return access
    .held(application, attribute)
    .map((value) => ({ tag: 'entitlement', val: { application, attribute, value } }));
}

export const accountSelection = {
  select({ application, role, candidates, mayCreate }) {
    const drawn = stirred(draw(), `${application}/${role ?? ''}`);
    const number = drawn % 5n;
    if (number === 0n) throw byChance();
    if (number === 1n) return { tag: 'ask' };
    if (number === 2n && mayCreate) return { tag: 'new-account' };
    if (candidates.length === 0) return { tag: 'ask' };
    const account = candidates[Number(drawn % BigInt(candidates.length))];
    return { tag: 'existing', val: account.nativeIdentity };
  },
};

export const targetMapping = {
  mapTarget({ application, attribute, nativeIdentity }) {
    if (attribute === 'echo') {
      const val = lastRead();
      return val === null ? { tag: 'clear' } : { tag: 'set', val };
    }
    const drawn = stirred(draw(), [application, attribute, nativeIdentity ?? ''].join('/'));
    switch (drawn % 7n) {
      case 0n: throw byChance();
      case 1n: return { tag: 'clear' };
      case 2n: return { tag: 'leave' };
      default: return { tag: 'set', val: text(`v${drawn % 4n}`) };
    }
  },
};

const byChance = () => declined('by chance');

/** Reads what the parameters say, and draws a number from what that gives. */
function draw() {
  const seed = parameter('seed') ?? integer(0);
  if (seed.tag !== 'integer') throw invalid('`seed` is not an integer');
  let drawn = BigInt.asUintN(64, BigInt(seed.val));
  // FNV-1a over the texts, in 64 bits.
  for (const read of reads()) {
    for (const byte of bytes(spoken(readOne(read)))) {
      drawn = BigInt.asUintN(64, (drawn ^ BigInt(byte)) * 0x100000001b3n);
    }
  }
  return drawn >> 7n;
}

function stirred(drawn, text) {
  for (const byte of bytes(text)) drawn = BigInt.asUintN(64, drawn * 31n + BigInt(byte));
  return drawn;
}

function lastRead() {
  let last = null;
  for (const read of reads()) last = readOne(read);
  return last;
}

function textParameter(name) {
  const value = parameter(name);
  if (value?.tag !== 'text') throw invalid(`\`${name}\` is not text`);
  return value.val;
}

function reads() {
  const reads = parameter('reads');
  if (reads?.tag !== 'many') throw invalid('`reads` is not a list of texts');
  return reads.val;
}

function readOne(read) {
  const [what] = read.split(' ', 1);
  const rest = read.slice(what.length + 1);
  switch (what) {
    case 'info': log.info(rest); return null;
    case 'warn': log.warn(rest); return null;
    case 'declined': throw declined(rest);
    case 'invalid': throw invalid(rest);
    case 'failed': throw failed(rest);
    case 'throw': throw new Error(rest);
    default: return readValue(read);
  }
}

/** What can be read, by the number of words that follow. */
const READS = {
  attribute: (name) => subject.attribute(name),
  both: (one, other) => text(subject.attributes([one, other]).map(spoken).join('')),
  'manager-attribute': (name) => subject.managerAttribute(name),
  parameter: (name) => parameter(name),
  account: (application, name) => text(accounts(application, name)),
  first(application, one, other) {
    const handle = subject.firstAccount(application);
    if (handle === null) return null;
    return text(subject.accountAttributes(handle, [one, other]).map(spoken).join(''));
  },
  over: (name) => ofDay(name, (day) => boolean(time.dayOver(day, THEIR_ZONE))),
  reached: (name, hour) =>
    ofDay(name, (day) => boolean(time.dateReached(day, oClock(hour), THEIR_ZONE))),
  passed(name) {
    const moment = subject.attribute(name);
    if (moment === null) return null;
    if (moment.tag !== 'instant') throw invalid(`\`${name}\` is not an instant`);
    return boolean(time.reached(moment.val));
  },
  at: (name, hour) =>
    ofDay(name, (day) => ({ tag: 'instant', val: time.instantAt(day, oClock(hour), THEIR_ZONE) })),
  plus: (name, days) =>
    ofDay(name, (day) => ({ tag: 'date', val: time.plusDays(day, number(days)) })),
  today: () => ({ tag: 'date', val: time.today(THEIR_ZONE) }),
  holds: (application, name, text) => boolean(entitlements.holds(application, name, text)),
  held: (application, name) => ({ tag: 'many', val: entitlements.held(application, name) }),
  assigned: (role) => boolean(roles.hasAssigned(role)),
  detected: (role) => boolean(roles.hasDetected(role)),
  seen: () => boolean(baseline.exists()),
  baseline: (name) => baseline.attribute(name),
  had: (role) => boolean(baseline.hadAssigned(role)),
  own: (name) => account.attribute(name),
  status: () => text(account.status()),
  'native-identity': () => text(`${account.application()} ${account.nativeIdentity()}`),
  tier: (application, name) => text(tiers(application, name)),
  desired: () => boolean(access.isDesired()),
  has: (role) => boolean(access.hasRole(role)),
  roles: () => ({ tag: 'many', val: access.roles() }),
  can: (application, name, text) => boolean(access.holds(application, name, text)),
  granted: (application, name) => ({ tag: 'many', val: access.held(application, name) }),
};

function readValue(read) {
  const [what, ...words] = read.split(' ');
  const how = Object.hasOwn(READS, what) ? READS[what] : undefined;
  if (how?.length !== words.length) throw invalid(`\`${read}\` is no read`);
  return how(...words) ?? null;
}

/** Tells the status and a value of each account. */
function accounts(application, name) {
  const told = subject
    .accounts(application)
    .map(({ status, handle }) => status + spoken(subject.accountAttribute(handle, name)));
  return told.join('');
}

function tiers(application, name) {
  const told = tierAccounts
    .accounts(application)
    .map(({ status, handle }) => status + spoken(tierAccounts.attribute(handle, name)));
  return told.join('');
}

/** Answers of a day that is an attribute; nothing when there is none. */
function ofDay(name, answer) {
  const day = subject.attribute(name);
  if (day === null) return null;
  if (day.tag !== 'date') throw invalid(`\`${name}\` is not a date`);
  return answer(day.val);
}

function oClock(hour) {
  if (!/^\d+$/.test(hour) || Number(hour) > 23) throw invalid(`\`${hour}\` is not an hour`);
  return { hour: Number(hour), minute: 0, second: 0 };
}

function number(text) {
  if (!/^-?\d+$/.test(text)) throw invalid(`\`${text}\` is not a number`);
  return Number(text);
}

const text = (val) => ({ tag: 'text', val });
const integer = (val) => ({ tag: 'integer', val });
const boolean = (val) => ({ tag: 'boolean', val });

function spoken(value) {
  switch (value?.tag) {
    case undefined: return '';
    case 'boolean': return value.val ? 'yes' : 'no';
    case 'date': {
      const { year, month, day } = value.val;
      return [String(year).padStart(4, '0'), padded(month), padded(day)].join('-');
    }
    case 'many': return value.val.join(', ');
    default: return String(value.val);
  }
}

const padded = (number) => String(number).padStart(2, '0');

/** The bytes of a text in UTF-8; there is no TextEncoder here. */
function bytes(text) {
  const bytes = [];
  for (const character of text) {
    const code = character.codePointAt(0);
    if (code < 0x80) {
      bytes.push(code);
    } else if (code < 0x800) {
      bytes.push(0xc0 | (code >> 6), 0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
      bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
    } else {
      bytes.push(
        0xf0 | (code >> 18),
        0x80 | ((code >> 12) & 0x3f),
        0x80 | ((code >> 6) & 0x3f),
        0x80 | (code & 0x3f),
      );
    }
  }
  return bytes;
}
