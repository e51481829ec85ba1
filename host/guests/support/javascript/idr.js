// What every rule in JavaScript uses. Written by `idr rule build`; changes are lost.

/** The errors of a rule, to be thrown: `throw declined('status is missing')`. */
export const declined = (why) => ({ tag: 'declined', val: why });
export const invalid = (why) => ({ tag: 'invalid', val: why });
export const failed = (why) => ({ tag: 'failed', val: why });

/** What is in a value of that type, such as `7` in `{ tag: 'integer', val: 7 }`. */
export const valueAs = (type, value) => (value?.tag === type ? value.val : undefined);

/** Does nothing any more: what it did is done for every rule when it is built. */
export const guard = (rule) => rule;
