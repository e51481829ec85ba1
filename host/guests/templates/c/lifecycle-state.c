/* The lifecycle state, by the first and the last day of work. The parameter
 * `graceDays` says for how long somebody stays active afterwards.
 *
 * The rule never asks what time it is, only whether a day has come or is over: so
 * the host knows when to refresh the person again. */

#include "idr.h"

static idr_rules_types_time_of_day_t midnight = {0, 0, 0};
/* An empty zone is the identity's own, or else the tenant's. */
static text their_zone = {0};

typedef struct {
  bool is_some, is_date;
  idr_rules_types_date_t date;
} date;

static date date_of(text *name) {
  value found;
  date date = {idr_rules_subject_attribute(name, &found), true};
  if (!date.is_some) return date;
  date.is_date = IS(found, DATE);
  date.date = found.val.date;
  idr_rules_types_value_free(&found);
  return date;
}

static int32_t grace_days(void) {
  value days;
  if (!idr_rules_parameters_parameter(TEXT("graceDays"), &days)) return 0;
  int32_t number = IS(days, INTEGER) ? (int32_t)days.val.integer : 0;
  idr_rules_types_value_free(&days);
  return number;
}

bool exports_idr_rules_lifecycle_state_state(text *answer, rule_error *error) {
  date start = date_of(TEXT("startDate")), end = date_of(TEXT("endDate"));
  if (!start.is_date) return NO_ANSWER(error, INVALID, "`startDate` is not a date");
  if (!end.is_date) return NO_ANSWER(error, INVALID, "`endDate` is not a date");
  const char *state = "active";
  if (start.is_some && !idr_rules_time_date_reached(&start.date, &midnight, &their_zone)) {
    state = "prehire";
  } else if (end.is_some) {
    idr_rules_types_date_t last;
    idr_rules_time_plus_days(&end.date, grace_days(), &last);
    if (idr_rules_time_day_over(&last, &their_zone)) state = "inactive";
  }
  rule_string_dup(answer, state);
  return true;
}
