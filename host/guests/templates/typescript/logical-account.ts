// The accounts of a logical application: whoever's account in `directory` is in
// the group `crm-users` has one. Its `level` is that of the account with the same
// native identity in `crm-db`. The parameter `group` names another group.

import { parameter } from 'idr:rules/parameters@0.1.2';
import { type Account, accounts, attribute } from 'idr:rules/tiers@0.1.2';
import { type Composed, type LogicalAccount, valueAs } from './bindings/idr.js';

export const logicalAccount: LogicalAccount = {
  compose() {
    const group = valueAs('text', parameter('group')) ?? 'crm-users';
    const rows = present('crm-db');
    return present('directory')
      .filter(({ handle }) => valueAs('many', attribute(handle, 'groups'))?.includes(group))
      .map((account) => {
        const row = rows.find((row) => row.nativeIdentity === account.nativeIdentity);
        return composed(account, row);
      });
  },
};

/** Lists the accounts that haven't vanished. */
function present(application: string): Account[] {
  return accounts(application).filter(({ status }) => status !== 'vanished');
}

function composed({ nativeIdentity, status }: Account, row?: Account): Composed {
  const parts = [{ application: 'directory', nativeIdentity }];
  if (row === undefined) return { nativeIdentity, status, attributes: [], parts };
  parts.push({ application: 'crm-db', nativeIdentity });
  const level = attribute(row.handle, 'level');
  const attributes = level === null ? [] : [{ name: 'level', value: level }];
  return { nativeIdentity, status, attributes, parts };
}
