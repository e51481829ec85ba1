package export_idr_rules_before_refresh

import (
	. "go.bytecodealliance.org/pkg/wit/types"
	"wit_component/answers"
	. "wit_component/idr_rules_types"
	"wit_component/reads"
	"wit_component/rules"
)

func Propose() (answer Result[[]Proposal, RuleError]) {
	defer rules.Guard(&answer)
	return answers.Proposed(reads.Draw())
}
