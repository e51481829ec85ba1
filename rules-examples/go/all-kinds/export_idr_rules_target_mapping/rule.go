package export_idr_rules_target_mapping

import (
	. "go.bytecodealliance.org/pkg/wit/types"
	"wit_component/answers"
	mapping "wit_component/idr_rules_target_mapping"
	. "wit_component/idr_rules_types"
	"wit_component/reads"
	"wit_component/rules"
)

func MapTarget(target mapping.Target) (answer Result[mapping.Mapping, RuleError]) {
	defer rules.Guard(&answer)
	if target.Attribute == "echo" {
		value := reads.Last()
		if value.IsNone() {
			return rules.Answer(mapping.MakeMappingClear())
		}
		return rules.Answer(mapping.MakeMappingSet(value.Some()))
	}
	asked := target.Application + "/" + target.Attribute + "/"
	if target.NativeIdentity.IsSome() {
		asked += target.NativeIdentity.Some()
	}
	drawn := reads.Stirred(reads.Draw(), asked)
	switch drawn % 7 {
	case 0:
		return rules.Declined[mapping.Mapping](answers.ByChance)
	case 1:
		return rules.Answer(mapping.MakeMappingClear())
	case 2:
		return rules.Answer(mapping.MakeMappingLeave())
	}
	return rules.Answer(mapping.MakeMappingSet(MakeValueText(answers.Numbered(drawn % 4))))
}
