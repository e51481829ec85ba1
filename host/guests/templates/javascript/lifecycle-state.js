// The lifecycle state, by the first and the last day of work. The parameter
// `graceDays` says for how long somebody stays active afterwards.
//
// The rule never asks what time it is, only whether a day has come or is over:
// so the host knows when to refresh the person again.

import { parameter } from 'idr:rules/parameters@0.1.2';
import { attribute } from 'idr:rules/subject@0.1.2';
import { dateReached, dayOver, plusDays } from 'idr:rules/time@0.1.2';
import { invalid, valueAs } from './bindings/idr.js';

const MIDNIGHT = { hour: 0, minute: 0, second: 0 };
/** An empty zone is the identity's own, or else the tenant's. */
const THEIR_ZONE = '';

export const lifecycleState = {
  state() {
    const start = dateOf('startDate');
    if (start !== null && !dateReached(start, MIDNIGHT, THEIR_ZONE)) return 'prehire';
    const end = dateOf('endDate');
    const graceDays = valueAs('integer', parameter('graceDays')) ?? 0;
    if (end !== null && dayOver(plusDays(end, graceDays), THEIR_ZONE)) return 'inactive';
    return 'active';
  },
};

function dateOf(name) {
  const value = attribute(name);
  if (value === null) return null;
  if (value.tag !== 'date') throw invalid(`\`${name}\` is not a date`);
  return value.val;
}
