// Package export_idr_rules_manager_correlation says whom an account names as
// the manager: by address, or by employee number. The word `none` is nobody.
package export_idr_rules_manager_correlation

import (
	"strconv"
	"strings"

	. "go.bytecodealliance.org/pkg/wit/types"
	. "wit_component/idr_rules_types"
	"wit_component/rules"
)

func Correlate(manager Value) (answer Result[Option[Lookup], RuleError]) {
	defer rules.Guard(&answer)
	lookup := Lookup{Attribute: "employeeNumber"}
	switch manager.Tag() {
	case Value_Text:
		lookup.Value = manager.Text()
	case Value_Integer:
		lookup.Value = strconv.FormatInt(manager.Integer(), 10)
	default:
		return rules.Invalid[Option[Lookup]]("the manager is neither text nor a number")
	}
	if lookup.Value == "none" {
		return rules.Answer(None[Lookup]())
	}
	if strings.Contains(lookup.Value, "@") {
		lookup.Attribute = "email"
	}
	return rules.Answer(Some(lookup))
}
