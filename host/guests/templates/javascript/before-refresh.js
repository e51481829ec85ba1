// The location of a person's first account that is in use. The parameter
// `application` says where; it is `hr` otherwise.

import { parameter } from 'idr:rules/parameters@0.1.2';
import { accountAttribute, accounts } from 'idr:rules/subject@0.1.2';
import { valueAs } from './bindings/idr.js';

export const beforeRefresh = {
  propose() {
    const application = valueAs('text', parameter('application')) ?? 'hr';
    const account = accounts(application).find(({ status }) => status === 'enabled');
    // What isn't proposed comes from its sources.
    if (account === undefined) return [];
    return [{ attribute: 'location', value: accountAttribute(account.handle, 'location') }];
  },
};
