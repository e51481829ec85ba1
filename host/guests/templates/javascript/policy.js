// Nobody may have more than two administrator roles: those whose names begin with
// `Admin`. The parameter `most` is another number.

import { roles } from 'idr:rules/access@0.1.2';
import { parameter } from 'idr:rules/parameters@0.1.2';
import { valueAs } from './bindings/idr.js';

export const policy = {
  judge() {
    const most = valueAs('integer', parameter('most')) ?? 2;
    const held = roles().filter((role) => role.startsWith('Admin'));
    if (held.length <= most) return [];
    const description = `more than ${most} administrator roles`;
    return [{ description, grants: held.map((role) => ({ tag: 'role', val: role })) }];
  },
};
