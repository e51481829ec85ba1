// Who is eligible for which role: a role is named after the department that has
// it. The parameter `always` lists roles that everybody has.

import { parameter } from 'idr:rules/parameters@0.1.2';
import { attribute } from 'idr:rules/subject@0.1.2';
import { valueAs } from './bindings/idr.js';

export const roleAssignment = {
  // One answer per candidate, in their order.
  assign(candidates) {
    const department = valueAs('text', attribute('department'));
    const always = valueAs('many', parameter('always')) ?? [];
    return candidates.map((role) => {
      if (always.includes(role)) return { tag: 'yes' };
      if (department === undefined) return { tag: 'cannot-tell', val: 'no department' };
      return { tag: role === department ? 'yes' : 'no' };
    });
  },
};
