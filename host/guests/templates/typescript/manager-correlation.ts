// Whom an account names as the manager: by address, or by employee number. The
// word `none` is nobody.

import { type ManagerCorrelation, invalid } from './bindings/idr.js';

export const managerCorrelation: ManagerCorrelation = {
  correlate(manager) {
    if (manager.tag !== 'text' && manager.tag !== 'integer') {
      throw invalid('the manager is neither text nor a number');
    }
    const value = String(manager.val);
    if (value === 'none') return null;
    return { attribute: value.includes('@') ? 'email' : 'employeeNumber', value };
  },
};
