package export_idr_rules_value_change

import (
	. "go.bytecodealliance.org/pkg/wit/types"
	"wit_component/answers"
	. "wit_component/idr_rules_types"
	"wit_component/reads"
	"wit_component/rules"
)

func Propose(
	attribute string, oldValue Option[Value], newValue Option[Value],
) (answer Result[[]Proposal, RuleError]) {
	defer rules.Guard(&answer)
	drawn := reads.Draw()
	change := attribute + "/" + reads.Spoken(oldValue) + "/" + reads.Spoken(newValue)
	return answers.Proposed(reads.Stirred(drawn, change))
}
