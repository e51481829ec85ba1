// The home directory of an account: `/home`, the site if there is one, and the
// login. The parameter `root` replaces `/home`.

import { parameter } from 'idr:rules/parameters@0.1.2';
import { attribute } from 'idr:rules/subject@0.1.2';
import { type TargetMapping, invalid, valueAs } from './bindings/idr.js';

export const targetMapping: TargetMapping = {
  mapTarget(target) {
    if (target.attribute !== 'homeDirectory') return { tag: 'leave' };
    const login = textOf('login');
    if (login === null) return { tag: 'clear' };
    const root = valueAs('text', parameter('root')) ?? '/home';
    const site = textOf('site');
    const home = site === null ? `${root}/${login}` : `${root}/${site}/${login}`;
    return { tag: 'set', val: { tag: 'text', val: home } };
  },
};

function textOf(name: string): string | null {
  const value = attribute(name);
  if (value === null) return null;
  if (value.tag !== 'text') throw invalid(`\`${name}\` is not text`);
  return value.val;
}
