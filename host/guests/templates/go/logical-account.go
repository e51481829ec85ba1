// Package export_idr_rules_logical_account makes the accounts of a logical
// application: whoever's account in `directory` is in the group `crm-users` has
// one. Its `level` is that of the account with the same native identity in
// `crm-db`. The parameter `group` names another group.
package export_idr_rules_logical_account

import (
	"slices"

	. "go.bytecodealliance.org/pkg/wit/types"
	logical "wit_component/idr_rules_logical_account"
	parameters "wit_component/idr_rules_parameters"
	tiers "wit_component/idr_rules_tiers"
	. "wit_component/idr_rules_types"
	"wit_component/rules"
)

func Compose(application string) (answer Result[[]logical.Composed, RuleError]) {
	defer rules.Guard(&answer)
	group := rules.Text(parameters.Parameter("group"), "crm-users")
	rows := map[string]tiers.Account{}
	for _, row := range present("crm-db") {
		rows[row.NativeIdentity] = row
	}
	accounts := []logical.Composed{}
	for _, account := range present("directory") {
		groups := tiers.Attribute(account.Handle, "groups")
		if !rules.Is(groups, Value_Many) || !slices.Contains(groups.Some().Many(), group) {
			continue
		}
		row, hasRow := rows[account.NativeIdentity]
		accounts = append(accounts, composed(account, row, hasRow))
	}
	return rules.Answer(accounts)
}

// present lists the accounts that haven't vanished.
func present(application string) []tiers.Account {
	return slices.DeleteFunc(tiers.Accounts(application), func(account tiers.Account) bool {
		return account.Status == AccountStatus_Vanished
	})
}

func composed(account, row tiers.Account, hasRow bool) logical.Composed {
	name := account.NativeIdentity
	composed := logical.Composed{
		NativeIdentity: name,
		Status:         account.Status,
		Parts:          []logical.Part{{Application: "directory", NativeIdentity: name}},
	}
	if hasRow {
		part := logical.Part{Application: "crm-db", NativeIdentity: name}
		composed.Parts = append(composed.Parts, part)
		if level := tiers.Attribute(row.Handle, "level"); level.IsSome() {
			composed.Attributes = []logical.Attribute{{Name: "level", Value: level.Some()}}
		}
	}
	return composed
}
