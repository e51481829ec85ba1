package export_idr_rules_account_selection

import (
	. "go.bytecodealliance.org/pkg/wit/types"
	"wit_component/answers"
	selection "wit_component/idr_rules_account_selection"
	. "wit_component/idr_rules_types"
	"wit_component/reads"
	"wit_component/rules"
)

func Select(need selection.Need) (answer Result[selection.Selection, RuleError]) {
	defer rules.Guard(&answer)
	asked := need.Application + "/"
	if need.Role.IsSome() {
		asked += need.Role.Some()
	}
	drawn := reads.Stirred(reads.Draw(), asked)
	switch number := drawn % 5; {
	case number == 0:
		return rules.Declined[selection.Selection](answers.ByChance)
	case number == 1:
		return rules.Answer(selection.MakeSelectionAsk())
	case number == 2 && need.MayCreate:
		return rules.Answer(selection.MakeSelectionNewAccount())
	case len(need.Candidates) == 0:
		return rules.Answer(selection.MakeSelectionAsk())
	}
	account := need.Candidates[drawn%uint64(len(need.Candidates))]
	return rules.Answer(selection.MakeSelectionExisting(account.NativeIdentity))
}
