// Package export_idr_rules_account_correlation says whose an account is: by
// its employee number; `adm-anna` is a second account of whoever logs in as
// `anna`. The parameter `prefix` replaces `adm-`.
package export_idr_rules_account_correlation

import (
	"strings"

	. "go.bytecodealliance.org/pkg/wit/types"
	account "wit_component/idr_rules_account"
	parameters "wit_component/idr_rules_parameters"
	. "wit_component/idr_rules_types"
	"wit_component/rules"
)

func Correlate() (answer Result[Option[Lookup], RuleError]) {
	defer rules.Guard(&answer)
	number := account.Attribute("employeeNumber")
	if number.IsSome() && !rules.Is(number, Value_Text) {
		return rules.Invalid[Option[Lookup]]("`employeeNumber` is not text")
	}
	if number.IsSome() {
		return rules.Answer(Some(Lookup{Attribute: "employeeNumber", Value: number.Some().Text()}))
	}
	prefix := rules.Text(parameters.Parameter("prefix"), "adm-")
	login, isSecond := strings.CutPrefix(account.NativeIdentity(), prefix)
	if !isSecond {
		return rules.Answer(None[Lookup]())
	}
	return rules.Answer(Some(Lookup{Attribute: "login", Value: login}))
}
