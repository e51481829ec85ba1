package export_idr_rules_account_correlation

import (
	. "go.bytecodealliance.org/pkg/wit/types"
	"wit_component/answers"
	. "wit_component/idr_rules_types"
	"wit_component/reads"
	"wit_component/rules"
)

func Correlate() (answer Result[Option[Lookup], RuleError]) {
	defer rules.Guard(&answer)
	return answers.Correlated(reads.Draw() % 7)
}
