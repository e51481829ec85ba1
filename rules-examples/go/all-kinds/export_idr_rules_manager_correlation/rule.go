package export_idr_rules_manager_correlation

import (
	. "go.bytecodealliance.org/pkg/wit/types"
	"wit_component/answers"
	. "wit_component/idr_rules_types"
	"wit_component/reads"
	"wit_component/rules"
)

func Correlate(manager Value) (answer Result[Option[Lookup], RuleError]) {
	defer rules.Guard(&answer)
	drawn := reads.Draw()
	if manager.Tag() != Value_Text {
		return rules.Invalid[Option[Lookup]]("the manager is no text")
	}
	return answers.Correlated(reads.Stirred(drawn, manager.Text()) % 7)
}
