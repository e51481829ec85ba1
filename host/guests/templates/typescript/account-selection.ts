// Which account is meant: roles whose names begin with `Admin` belong to the
// administrator's account, whose native identity begins with `adm-`, everything
// else to the other one. The parameter `prefix` replaces `adm-`.

import { parameter } from 'idr:rules/parameters@0.1.2';
import { type AccountSelection, valueAs } from './bindings/idr.js';

export const accountSelection: AccountSelection = {
  select(need) {
    const prefix = valueAs('text', parameter('prefix')) ?? 'adm-';
    const isPrivileged = need.role?.startsWith('Admin') ?? false;
    const fitting = need.candidates
      .map(({ nativeIdentity }) => nativeIdentity)
      .filter((name) => name.startsWith(prefix) === isPrivileged);
    if (fitting.length === 1) return { tag: 'existing', val: fitting[0] };
    return { tag: fitting.length === 0 && need.mayCreate ? 'new-account' : 'ask' };
  },
};
