/* What the parameters say to read, and the number that is drawn from it. */
#ifndef READS_H
#define READS_H

#include "idr.h"

/* Reads everything and draws a number from what that gives. */
bool draw(uint64_t *drawn, rule_error *error);

/* Reads everything and returns what came last; it is the caller's to free. */
bool last_read(value *last, bool *is_some, rule_error *error);

/* Gives no answer, because none was drawn. */
bool by_chance(rule_error *error);

/* Writes `v` and a number. */
void numbered(text *answer, uint64_t number);

/* Stirs bytes into a number. */
uint64_t stirred(uint64_t drawn, const char *bytes, size_t length);

/* Returns a value as a text, which is the caller's to free; none may be null. */
char *spoken(const value *value);

/* Copies a text; the copy ends with a zero, and is the caller's to free. */
char *from_text(text text);

#endif
