// Package export_idr_rules_identity_trigger says whether somebody has moved:
// the department isn't what it was. The parameter `attribute` names another
// attribute to look at.
package export_idr_rules_identity_trigger

import (
	. "go.bytecodealliance.org/pkg/wit/types"
	baseline "wit_component/idr_rules_baseline"
	parameters "wit_component/idr_rules_parameters"
	subject "wit_component/idr_rules_subject"
	. "wit_component/idr_rules_types"
	"wit_component/rules"
)

func Fires(trigger string) (answer Result[bool, RuleError]) {
	defer rules.Guard(&answer)
	// Somebody who is new hasn't moved.
	if !baseline.Exists() {
		return rules.Answer(false)
	}
	name := rules.Text(parameters.Parameter("attribute"), "department")
	before, now := baseline.Attribute(name), subject.Attribute(name)
	return rules.Answer(rules.Text(before, "") != rules.Text(now, ""))
}
