// Whose an account is: by its employee number; `adm-anna` is a second account of
// whoever logs in as `anna`. The parameter `prefix` replaces `adm-`.

import { attribute, nativeIdentity } from 'idr:rules/account@0.1.2';
import { parameter } from 'idr:rules/parameters@0.1.2';
import { invalid, valueAs } from './bindings/idr.js';

export const accountCorrelation = {
  correlate() {
    const number = attribute('employeeNumber');
    if (number !== null) {
      if (number.tag !== 'text') throw invalid('`employeeNumber` is not text');
      return { attribute: 'employeeNumber', value: number.val };
    }
    const prefix = valueAs('text', parameter('prefix')) ?? 'adm-';
    const name = nativeIdentity();
    return name.startsWith(prefix)
      ? { attribute: 'login', value: name.slice(prefix.length) }
      : null;
  },
};
