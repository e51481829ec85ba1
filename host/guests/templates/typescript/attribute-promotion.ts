// The display name: given name and family name, whichever there are.

import { attribute } from 'idr:rules/subject@0.1.2';
import { type AttributePromotion, invalid } from './bindings/idr.js';

export const attributePromotion: AttributePromotion = {
  promote() {
    const names = [textOf('givenName'), textOf('familyName')].filter((name) => name !== '');
    // Without any, the attribute's next source is asked.
    if (names.length === 0) return { tag: 'next' };
    return { tag: 'set', val: { tag: 'text', val: names.join(' ') } };
  },
};

function textOf(name: string): string {
  const value = attribute(name);
  if (value === null) return '';
  if (value.tag !== 'text') throw invalid(`\`${name}\` is not text`);
  return value.val;
}
