package export_idr_rules_logical_account

import (
	. "go.bytecodealliance.org/pkg/wit/types"
	"wit_component/answers"
	logical "wit_component/idr_rules_logical_account"
	tiers "wit_component/idr_rules_tiers"
	. "wit_component/idr_rules_types"
	"wit_component/reads"
	"wit_component/rules"
)

func Compose(application string) (answer Result[[]logical.Composed, RuleError]) {
	defer rules.Guard(&answer)
	drawn := reads.Stirred(reads.Draw(), application)
	tier := reads.TextParameter("tiers")
	accounts := []tiers.Account{}
	parts := []logical.Part{}
	for _, account := range tiers.Accounts(tier) {
		if account.Status != AccountStatus_Vanished {
			accounts = append(accounts, account)
			part := logical.Part{Application: tier, NativeIdentity: account.NativeIdentity}
			parts = append(parts, part)
		}
	}
	composed := []logical.Composed{}
	switch number := drawn % 7; {
	case number == 0:
		return rules.Declined[[]logical.Composed](answers.ByChance)
	case number == 1 || len(accounts) == 0:
	case number == 2:
		// One of all.
		composed = append(composed, logical.Composed{
			NativeIdentity: answers.Numbered(drawn % 4), Status: accounts[0].Status, Parts: parts,
		})
	default:
		// One of each.
		for index, account := range accounts {
			level := MakeValueText(answers.Numbered((drawn + uint64(index)) % 4))
			composed = append(composed, logical.Composed{
				NativeIdentity: account.NativeIdentity,
				Status:         account.Status,
				Attributes:     []logical.Attribute{{Name: "level", Value: level}},
				Parts:          parts[index : index+1],
			})
		}
	}
	return rules.Answer(composed)
}
