// Package export_idr_rules_account_selection says which account is meant: roles
// whose names begin with `Admin` belong to the administrator's account, whose
// native identity begins with `adm-`, everything else to the other one. The
// parameter `prefix` replaces `adm-`.
package export_idr_rules_account_selection

import (
	"strings"

	. "go.bytecodealliance.org/pkg/wit/types"
	selection "wit_component/idr_rules_account_selection"
	parameters "wit_component/idr_rules_parameters"
	. "wit_component/idr_rules_types"
	"wit_component/rules"
)

func Select(need selection.Need) (answer Result[selection.Selection, RuleError]) {
	defer rules.Guard(&answer)
	prefix := rules.Text(parameters.Parameter("prefix"), "adm-")
	isPrivileged := need.Role.IsSome() && strings.HasPrefix(need.Role.Some(), "Admin")
	fitting := []string{}
	for _, account := range need.Candidates {
		if strings.HasPrefix(account.NativeIdentity, prefix) == isPrivileged {
			fitting = append(fitting, account.NativeIdentity)
		}
	}
	switch {
	case len(fitting) == 1:
		return rules.Answer(selection.MakeSelectionExisting(fitting[0]))
	case len(fitting) == 0 && need.MayCreate:
		return rules.Answer(selection.MakeSelectionNewAccount())
	}
	return rules.Answer(selection.MakeSelectionAsk())
}
