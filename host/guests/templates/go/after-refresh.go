// Package export_idr_rules_after_refresh proposes a red badge for whoever
// has a role, from the next refresh on: `Administrator`, or what the parameter
// `role` says.
package export_idr_rules_after_refresh

import (
	. "go.bytecodealliance.org/pkg/wit/types"
	parameters "wit_component/idr_rules_parameters"
	roles "wit_component/idr_rules_roles"
	. "wit_component/idr_rules_types"
	"wit_component/rules"
)

func Propose() (answer Result[[]Proposal, RuleError]) {
	defer rules.Guard(&answer)
	badge := None[Value]()
	role := rules.Text(parameters.Parameter("role"), "Administrator")
	if roles.HasAssigned(role) {
		badge = Some(MakeValueText("red"))
	}
	return rules.Answer([]Proposal{{Attribute: "badge", Value: badge}})
}
