package export_idr_rules_identity_trigger

import (
	. "go.bytecodealliance.org/pkg/wit/types"
	"wit_component/answers"
	. "wit_component/idr_rules_types"
	"wit_component/reads"
	"wit_component/rules"
)

func Fires(trigger string) (answer Result[bool, RuleError]) {
	defer rules.Guard(&answer)
	number := reads.Draw() % 5
	if number == 0 {
		return rules.Declined[bool](answers.ByChance)
	}
	return rules.Answer(number%2 == 0)
}
