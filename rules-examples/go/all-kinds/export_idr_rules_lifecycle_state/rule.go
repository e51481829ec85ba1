package export_idr_rules_lifecycle_state

import (
	. "go.bytecodealliance.org/pkg/wit/types"
	"wit_component/answers"
	parameters "wit_component/idr_rules_parameters"
	subject "wit_component/idr_rules_subject"
	. "wit_component/idr_rules_types"
	"wit_component/reads"
	"wit_component/rules"
)

func State() (answer Result[string, RuleError]) {
	defer rules.Guard(&answer)
	goneWithout := parameters.Parameter("gone-without")
	if rules.Is(goneWithout, Value_Text) && allVanished(goneWithout.Some().Text()) {
		return rules.Answer("gone")
	}
	switch reads.Draw() % 8 {
	case 0:
		return rules.Declined[string](answers.ByChance)
	case 1:
		return rules.Answer("no such state")
	case 2:
		return rules.Answer("gone")
	case 3, 4:
		return rules.Answer("leave")
	default:
		return rules.Answer("active")
	}
}

func allVanished(application string) bool {
	for _, account := range subject.Accounts(application) {
		if account.Status != AccountStatus_Vanished {
			return false
		}
	}
	return true
}
