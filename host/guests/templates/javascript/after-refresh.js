// A red badge for whoever has a role, from the next refresh on: `Administrator`,
// or what the parameter `role` says.

import { parameter } from 'idr:rules/parameters@0.1.2';
import { hasAssigned } from 'idr:rules/roles@0.1.2';
import { valueAs } from './bindings/idr.js';

export const afterRefresh = {
  propose() {
    const role = valueAs('text', parameter('role')) ?? 'Administrator';
    const value = hasAssigned(role) ? { tag: 'text', val: 'red' } : null;
    return [{ attribute: 'badge', value }];
  },
};
