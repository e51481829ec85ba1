package export_idr_rules_role_assignment

import (
	. "go.bytecodealliance.org/pkg/wit/types"
	"wit_component/answers"
	assignment "wit_component/idr_rules_role_assignment"
	. "wit_component/idr_rules_types"
	"wit_component/reads"
	"wit_component/rules"
)

func Assign(candidates []string) (answer Result[[]assignment.Eligibility, RuleError]) {
	defer rules.Guard(&answer)
	drawn := reads.Draw()
	if drawn%11 == 0 {
		return rules.Declined[[]assignment.Eligibility](answers.ByChance)
	}
	eligibilities := make([]assignment.Eligibility, len(candidates))
	for index := range candidates {
		eligibilities[index] = eligibility(drawn + uint64(index))
	}
	return rules.Answer(eligibilities)
}

func eligibility(number uint64) assignment.Eligibility {
	switch number % 5 {
	case 0, 1:
		return assignment.MakeEligibilityYes()
	case 2:
		return assignment.MakeEligibilityCannotTell(answers.ByChance)
	default:
		return assignment.MakeEligibilityNo()
	}
}
