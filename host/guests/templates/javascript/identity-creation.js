// Which identity an account gives rise to: none for test accounts and for those
// not in use, a contractor for externals. The parameter `prefix` replaces `test-`.

import { attribute, nativeIdentity, status } from 'idr:rules/account@0.1.2';
import { parameter } from 'idr:rules/parameters@0.1.2';
import { valueAs } from './bindings/idr.js';

export const identityCreation = {
  create() {
    const prefix = valueAs('text', parameter('prefix')) ?? 'test-';
    if (nativeIdentity().startsWith(prefix)) return { tag: 'skip', val: 'a test account' };
    if (status() !== 'enabled') return { tag: 'skip', val: 'not in use' };
    // What is null is as the application's configuration says.
    const identityType = valueAs('text', attribute('employment')) === 'external' ? 'contractor' : null;
    return { tag: 'create', val: { name: null, identityType } };
  },
};
