// What every rule in JavaScript uses. Written by `idr rule build`; changes are lost.

/** The errors of a rule, to be thrown: `throw declined('status is missing')`. */
export const declined = (why) => ({ tag: 'declined', val: why });
export const invalid = (why) => ({ tag: 'invalid', val: why });
export const failed = (why) => ({ tag: 'failed', val: why });

/** What is in a value of that type, such as `7` in `{ tag: 'integer', val: 7 }`. */
export const valueAs = (type, value) => (value?.tag === type ? value.val : undefined);

/**
 * Wraps the functions of one kind: an exception becomes `failed`, with its text
 * and its place, and so does an answer that isn't exact, which would be rounded.
 */
export function guard(rule) {
  const guarded = {};
  for (const [name, answer] of Object.entries(rule)) {
    guarded[name] = (...asked) => {
      try {
        return checked(answer(...asked));
      } catch (error) {
        throw isAnswer(error) ? error : failed(spoken(error));
      }
    };
  }
  return guarded;
}

/** Says whether what was thrown is an error of the contract. */
const isAnswer = (error) => ['declined', 'invalid', 'failed'].includes(error?.tag);

/** An exception's text and the functions that it came through, innermost first. */
const spoken = (error) =>
  error instanceof Error ? `${error}\n${error.stack}` : `threw ${JSON.stringify(error)}`;

function checked(answer) {
  if (Array.isArray(answer)) {
    answer.forEach(checked);
  } else if (answer !== null && typeof answer === 'object') {
    const isNumber = answer.tag === 'integer' || answer.tag === 'instant';
    if (isNumber && !Number.isSafeInteger(answer.val)) {
      throw new RangeError(`${String(answer.val)} is no ${answer.tag}`);
    }
    Object.values(answer).forEach(checked);
  }
  return answer;
}
