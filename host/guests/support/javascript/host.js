// What `idr rule build` puts around every rule in JavaScript.

import { failed } from '../bindings/idr.js';

/**
 * Returns what the host asks in place of a rule's functions: an exception becomes
 * `failed`, with its text and its place, and so does an answer that doesn't fit, which
 * would be a trap without words, or rounded.
 *
 * `answers` and `error` describe what the functions answer, and what they throw.
 */
export function asked(interfaceName, rule, answers, error) {
  const functions = {};
  const misfitOfError = fitting(error);
  for (const [name, described] of Object.entries(answers)) {
    if (typeof rule?.[name] !== 'function') {
      throw new Error(`\`${interfaceName}\` has no function \`${name}\``);
    }
    const misfit = fitting(described);
    functions[name] = (...given) => {
      let answer;
      try {
        answer = rule[name](...given);
      } catch (thrown) {
        throw misfitOfError(thrown) ? failed(spoken(thrown)) : thrown;
      }
      const wrong = misfit(answer);
      if (wrong) throw failed(`\`${name}\` answers ${wrong}`);
      return answer;
    };
  }
  return functions;
}

/** An exception's text and the functions that it came through, innermost first. */
const spoken = (error) =>
  error instanceof Error ? `${error}\n${error.stack}` : `threw ${shown(error)}`;

function shown(value) {
  if (value === undefined) return 'nothing';
  if (typeof value === 'bigint') return `${value}n`;
  const exact = (_, known) => (typeof known === 'bigint' ? `${known}n` : known);
  const text = JSON.stringify(value, exact) ?? `a ${typeof value}`;
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

/** What is wrong with a value, which may be part of another. */
class Misfit {
  constructor(value, wanted) {
    this.value = value;
    this.wanted = wanted;
    this.at = '';
  }

  /** The same, of what the value is part of. */
  within(place) {
    const rest = this.at && !this.at.startsWith('[') ? `.${this.at}` : this.at;
    this.at = place + rest;
    return this;
  }

  toString() {
    return `${shown(this.value)}${this.at && ` as \`${this.at}\``}, and not ${this.wanted}`;
  }
}

/** Returns a function that says how a value doesn't fit a description, if it doesn't. */
function fitting([kind, ...more]) {
  const make = KINDS[kind];
  return make ? make(...more) : () => null;
}

const KINDS = {
  text: () => (value) => {
    if (typeof value !== 'string') return new Misfit(value, 'a text');
    return value.isWellFormed() ? null : new Misfit(value, 'a text of whole characters');
  },
  boolean: () => (value) =>
    typeof value === 'boolean' ? null : new Misfit(value, 'true or false'),
  integer: (least, most) => (value) =>
    Number.isInteger(value) && least <= value && value <= most
      ? null
      : new Misfit(value, `a whole number from ${least} to ${most}`),
  option: (item) => {
    const misfit = fitting(item);
    return (value) => (value === null || value === undefined ? null : misfit(value));
  },
  word: (words) => (value) =>
    words.includes(value) ? null : new Misfit(value, `one of ${listed(words)}`),
  list: (item) => {
    const misfit = fitting(item);
    return (value) => {
      if (!Array.isArray(value)) return new Misfit(value, 'a list');
      for (let place = 0; place < value.length; place += 1) {
        const wrong = misfit(value[place]);
        if (wrong) return wrong.within(`[${place}]`);
      }
      return null;
    };
  },
  record: (described) => {
    const names = Object.keys(described);
    const misfits = Object.values(described).map(fitting);
    return (value) => {
      if (value === null || typeof value !== 'object') {
        return new Misfit(value, `an object with ${listed(names)}`);
      }
      for (let place = 0; place < names.length; place += 1) {
        const wrong = misfits[place](value[names[place]]);
        if (wrong) return wrong.within(names[place]);
      }
      return null;
    };
  },
  variant: (described) => {
    const cases = new Map(Object.entries(described).map(([tag, of]) => [tag, fitting(of)]));
    return (value) => {
      const misfit = cases.get(value?.tag);
      if (!misfit) {
        const tags = listed([...cases.keys()]);
        return new Misfit(value, `an object whose \`tag\` is one of ${tags}`);
      }
      return misfit(value.val)?.within('val') ?? null;
    };
  },
};

const listed = (names) => names.map((name) => `\`${name}\``).join(', ');

// There is no clock: what would ask one says what to ask instead.

function noClock(what) {
  throw new Error(
    `\`${what}\` needs a clock, and a rule has none: ask \`reached\`, \`dateReached\`, ` +
      '`dayOver` or `today` of `idr:rules/time`',
  );
}

const Dates = Date;
globalThis.Date = new Proxy(Dates, {
  apply: () => noClock('Date()'),
  construct: (target, given, made) =>
    given.length ? Reflect.construct(target, given, made) : noClock('new Date()'),
});
Dates.prototype.constructor = globalThis.Date;
Dates.now = () => noClock('Date.now()');
if (globalThis.performance) {
  Object.defineProperty(globalThis, 'performance', {
    value: { now: () => noClock('performance.now()') },
  });
}
