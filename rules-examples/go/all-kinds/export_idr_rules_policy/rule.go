package export_idr_rules_policy

import (
	"strings"

	. "go.bytecodealliance.org/pkg/wit/types"
	"wit_component/answers"
	access "wit_component/idr_rules_access"
	parameters "wit_component/idr_rules_parameters"
	policies "wit_component/idr_rules_policy"
	. "wit_component/idr_rules_types"
	"wit_component/reads"
	"wit_component/rules"
)

func Judge(policy string) (answer Result[[]policies.Violation, RuleError]) {
	defer rules.Guard(&answer)
	drawn := reads.Stirred(reads.Draw(), policy)
	violations := []policies.Violation{}
	add := func(description string, grants []policies.Grant) {
		if len(grants) > 0 {
			violation := policies.Violation{Description: description, Grants: grants}
			violations = append(violations, violation)
		}
	}
	switch drawn % 7 {
	case 0:
		return rules.Declined[[]policies.Violation](answers.ByChance)
	case 1, 2:
	case 3:
		// One by all roles.
		add(answers.ByChance, roles())
	case 4:
		// One by all entitlements.
		add(answers.ByChance, granted())
	default:
		// One by each role.
		for index, role := range roles() {
			add(answers.Numbered((drawn+uint64(index))%4), []policies.Grant{role})
		}
	}
	return rules.Answer(violations)
}

func roles() []policies.Grant {
	grants := []policies.Grant{}
	for _, role := range access.Roles() {
		grants = append(grants, policies.MakeGrantRole(role))
	}
	return grants
}

// granted returns the entitlements of the access that `held` names.
func granted() []policies.Grant {
	grants := []policies.Grant{}
	if parameters.Parameter("held").IsNone() {
		return grants
	}
	application, attribute, _ := strings.Cut(reads.TextParameter("held"), " ")
	for _, value := range access.Held(application, attribute) {
		grants = append(grants, policies.MakeGrantEntitlement(policies.Entitlement{
			Application: application, Attribute: attribute, Value: value,
		}))
	}
	return grants
}
