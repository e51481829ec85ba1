// Package export_idr_rules_policy says that nobody may have more than two
// administrator roles: those whose names begin with `Admin`. The parameter
// `most` is another number.
package export_idr_rules_policy

import (
	"fmt"
	"strings"

	. "go.bytecodealliance.org/pkg/wit/types"
	access "wit_component/idr_rules_access"
	parameters "wit_component/idr_rules_parameters"
	policies "wit_component/idr_rules_policy"
	. "wit_component/idr_rules_types"
	"wit_component/rules"
)

func Judge(policy string) (answer Result[[]policies.Violation, RuleError]) {
	defer rules.Guard(&answer)
	most := int64(2)
	if number := parameters.Parameter("most"); rules.Is(number, Value_Integer) {
		most = number.Some().Integer()
	}
	held := []policies.Grant{}
	for _, role := range access.Roles() {
		if strings.HasPrefix(role, "Admin") {
			held = append(held, policies.MakeGrantRole(role))
		}
	}
	if int64(len(held)) <= most {
		return rules.Answer([]policies.Violation{})
	}
	description := fmt.Sprintf("more than %d administrator roles", most)
	return rules.Answer([]policies.Violation{{Description: description, Grants: held}})
}
