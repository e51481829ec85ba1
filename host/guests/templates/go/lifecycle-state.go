// Package export_idr_rules_lifecycle_state works out the lifecycle state, by
// the first and the last day of work. The parameter `graceDays` says for how
// long somebody stays active afterwards.
package export_idr_rules_lifecycle_state

import (
	"fmt"

	. "go.bytecodealliance.org/pkg/wit/types"
	parameters "wit_component/idr_rules_parameters"
	subject "wit_component/idr_rules_subject"
	time "wit_component/idr_rules_time"
	. "wit_component/idr_rules_types"
	"wit_component/rules"
)

// An empty zone is the identity's own, or else the tenant's.
const theirZone = ""

// State never asks what time it is, only whether a day has come or is over: so
// the host knows when to refresh the person again.
func State() (answer Result[string, RuleError]) {
	defer rules.Guard(&answer)
	start, end := dateOf("startDate"), dateOf("endDate")
	if start != nil && !time.DateReached(*start, TimeOfDay{}, theirZone) {
		return rules.Answer("prehire")
	}
	graceDays := int32(0)
	if days := parameters.Parameter("graceDays"); rules.Is(days, Value_Integer) {
		graceDays = int32(days.Some().Integer())
	}
	if end != nil && time.DayOver(time.PlusDays(*end, graceDays), theirZone) {
		return rules.Answer("inactive")
	}
	return rules.Answer("active")
}

// dateOf returns a date, or nil; the guard makes an error that it panics with the
// answer.
func dateOf(name string) *Date {
	value := subject.Attribute(name)
	if value.IsNone() {
		return nil
	}
	if !rules.Is(value, Value_Date) {
		panic(MakeRuleErrorInvalid(fmt.Sprintf("`%s` is not a date", name)))
	}
	date := value.Some().Date()
	return &date
}
