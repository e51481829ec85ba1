// Package export_idr_rules_role_assignment says who is eligible for which
// role: a role is named after the department that has it. The parameter
// `always` lists roles that everybody has.
package export_idr_rules_role_assignment

import (
	"slices"

	. "go.bytecodealliance.org/pkg/wit/types"
	parameters "wit_component/idr_rules_parameters"
	assignment "wit_component/idr_rules_role_assignment"
	subject "wit_component/idr_rules_subject"
	. "wit_component/idr_rules_types"
	"wit_component/rules"
)

func Assign(candidates []string) (answer Result[[]assignment.Eligibility, RuleError]) {
	defer rules.Guard(&answer)
	department := rules.Text(subject.Attribute("department"), "")
	var always []string
	if roles := parameters.Parameter("always"); rules.Is(roles, Value_Many) {
		always = roles.Some().Many()
	}
	// One answer per candidate, in their order.
	eligibilities := make([]assignment.Eligibility, len(candidates))
	for index, role := range candidates {
		switch {
		case slices.Contains(always, role), role == department:
			eligibilities[index] = assignment.MakeEligibilityYes()
		case department == "":
			eligibilities[index] = assignment.MakeEligibilityCannotTell("no department")
		default:
			eligibilities[index] = assignment.MakeEligibilityNo()
		}
	}
	return rules.Answer(eligibilities)
}
