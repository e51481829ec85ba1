// Keeps the family name that somebody had before, in the attribute that the
// parameter `keepIn` names, or in `formerName`.

import { parameter } from 'idr:rules/parameters@0.1.2';
import { type ValueChange, valueAs } from './bindings/idr.js';

export const valueChange: ValueChange = {
  propose(attribute, oldValue, newValue) {
    if (attribute !== 'familyName' || oldValue === null) return [];
    return [{ attribute: valueAs('text', parameter('keepIn')) ?? 'formerName', value: oldValue }];
  },
};
