// Package export_idr_rules_before_refresh proposes the location of a
// person's first account that is in use. The parameter `application` says
// where; it is `hr` otherwise.
package export_idr_rules_before_refresh

import (
	. "go.bytecodealliance.org/pkg/wit/types"
	parameters "wit_component/idr_rules_parameters"
	subject "wit_component/idr_rules_subject"
	. "wit_component/idr_rules_types"
	"wit_component/rules"
)

func Propose() (answer Result[[]Proposal, RuleError]) {
	defer rules.Guard(&answer)
	application := rules.Text(parameters.Parameter("application"), "hr")
	for _, account := range subject.Accounts(application) {
		if account.Status == AccountStatus_Enabled {
			location := subject.AccountAttribute(account.Handle, "location")
			return rules.Answer([]Proposal{{Attribute: "location", Value: location}})
		}
	}
	// What isn't proposed comes from its sources.
	return rules.Answer([]Proposal{})
}
