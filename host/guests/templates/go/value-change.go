// Package export_idr_rules_value_change keeps the family name that somebody
// had before, in the attribute that the parameter `keepIn` names, or in
// `formerName`.
package export_idr_rules_value_change

import (
	. "go.bytecodealliance.org/pkg/wit/types"
	parameters "wit_component/idr_rules_parameters"
	. "wit_component/idr_rules_types"
	"wit_component/rules"
)

func Propose(
	attribute string, oldValue Option[Value], newValue Option[Value],
) (answer Result[[]Proposal, RuleError]) {
	defer rules.Guard(&answer)
	if attribute != "familyName" || oldValue.IsNone() {
		return rules.Answer([]Proposal{})
	}
	keepIn := rules.Text(parameters.Parameter("keepIn"), "formerName")
	return rules.Answer([]Proposal{{Attribute: keepIn, Value: oldValue}})
}
