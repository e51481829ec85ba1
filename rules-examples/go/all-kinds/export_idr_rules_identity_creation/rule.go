package export_idr_rules_identity_creation

import (
	. "go.bytecodealliance.org/pkg/wit/types"
	"wit_component/answers"
	creation "wit_component/idr_rules_identity_creation"
	. "wit_component/idr_rules_types"
	"wit_component/reads"
	"wit_component/rules"
)

func Create() (answer Result[creation.Creation, RuleError]) {
	defer rules.Guard(&answer)
	switch number := reads.Draw() % 5; number {
	case 0:
		return rules.Declined[creation.Creation](answers.ByChance)
	case 1:
		return rules.Answer(creation.MakeCreationSkip(answers.ByChance))
	default:
		return rules.Answer(creation.MakeCreationCreate(creation.NewIdentity{
			Name:         Some(answers.Numbered(number)),
			IdentityType: None[string](),
		}))
	}
}
