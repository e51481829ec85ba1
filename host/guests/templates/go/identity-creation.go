// Package export_idr_rules_identity_creation says which identity an account
// gives rise to: none for test accounts and for those not in use, a contractor
// for externals. The parameter `prefix` replaces `test-`.
package export_idr_rules_identity_creation

import (
	"strings"

	. "go.bytecodealliance.org/pkg/wit/types"
	account "wit_component/idr_rules_account"
	creation "wit_component/idr_rules_identity_creation"
	parameters "wit_component/idr_rules_parameters"
	. "wit_component/idr_rules_types"
	"wit_component/rules"
)

func Create() (answer Result[creation.Creation, RuleError]) {
	defer rules.Guard(&answer)
	prefix := rules.Text(parameters.Parameter("prefix"), "test-")
	if strings.HasPrefix(account.NativeIdentity(), prefix) {
		return rules.Answer(creation.MakeCreationSkip("a test account"))
	}
	if account.Status() != AccountStatus_Enabled {
		return rules.Answer(creation.MakeCreationSkip("not in use"))
	}
	// What is None is as the application's configuration says.
	proposed := creation.NewIdentity{Name: None[string](), IdentityType: None[string]()}
	if rules.Text(account.Attribute("employment"), "") == "external" {
		proposed.IdentityType = Some("contractor")
	}
	return rules.Answer(creation.MakeCreationCreate(proposed))
}
