// Whether somebody has moved: the department isn't what it was. The parameter
// `attribute` names another attribute to look at.

import { attribute as before, exists } from 'idr:rules/baseline@0.1.0';
import { parameter } from 'idr:rules/parameters@0.1.0';
import { attribute } from 'idr:rules/subject@0.1.0';
import { guard } from './bindings/idr.js';

export const identityTrigger = guard({
  fires() {
    // Somebody who is new hasn't moved.
    if (!exists()) return false;
    const name = parameter('attribute')?.val ?? 'department';
    return textOf(attribute(name)) !== textOf(before(name));
  },
});

const textOf = (value) => (value?.tag === 'text' ? value.val : '');
