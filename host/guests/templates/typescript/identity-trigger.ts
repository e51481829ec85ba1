// Whether somebody has moved: the department isn't what it was. The parameter
// `attribute` names another attribute to look at.

import { attribute as before, exists } from 'idr:rules/baseline@0.1.2';
import { parameter } from 'idr:rules/parameters@0.1.2';
import { attribute } from 'idr:rules/subject@0.1.2';
import { type IdentityTrigger, valueAs } from './bindings/idr.js';

export const identityTrigger: IdentityTrigger = {
  fires() {
    // Somebody who is new hasn't moved.
    if (!exists()) return false;
    const name = valueAs('text', parameter('attribute')) ?? 'department';
    return valueAs('text', attribute(name)) !== valueAs('text', before(name));
  },
};
