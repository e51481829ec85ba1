// Package export_idr_rules_target_mapping works out the home directory of an
// account: `/home`, the site if there is one, and the login. The parameter
// `root` replaces `/home`.
package export_idr_rules_target_mapping

import (
	"fmt"

	. "go.bytecodealliance.org/pkg/wit/types"
	parameters "wit_component/idr_rules_parameters"
	subject "wit_component/idr_rules_subject"
	mapping "wit_component/idr_rules_target_mapping"
	. "wit_component/idr_rules_types"
	"wit_component/rules"
)

func MapTarget(target mapping.Target) (answer Result[mapping.Mapping, RuleError]) {
	defer rules.Guard(&answer)
	if target.Attribute != "homeDirectory" {
		return rules.Answer(mapping.MakeMappingLeave())
	}
	login := textOf("login")
	if login == "" {
		return rules.Answer(mapping.MakeMappingClear())
	}
	home := rules.Text(parameters.Parameter("root"), "/home")
	if site := textOf("site"); site != "" {
		home += "/" + site
	}
	return rules.Answer(mapping.MakeMappingSet(MakeValueText(home + "/" + login)))
}

// textOf returns a text, or an empty one: no attribute is that. The guard makes
// an error that it panics with the answer.
func textOf(name string) string {
	value := subject.Attribute(name)
	if value.IsSome() && !rules.Is(value, Value_Text) {
		panic(MakeRuleErrorInvalid(fmt.Sprintf("`%s` is not text", name)))
	}
	return rules.Text(value, "")
}
