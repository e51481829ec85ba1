package export_idr_rules_attribute_promotion

import (
	. "go.bytecodealliance.org/pkg/wit/types"
	"wit_component/answers"
	promotion "wit_component/idr_rules_attribute_promotion"
	. "wit_component/idr_rules_types"
	"wit_component/reads"
	"wit_component/rules"
)

func Promote(attribute string) (answer Result[promotion.Promotion, RuleError]) {
	defer rules.Guard(&answer)
	if attribute == "echo" {
		return rules.Answer(echo())
	}
	switch number := reads.Draw() % 9; number {
	case 0:
		return rules.Answer(promotion.MakePromotionClear())
	case 1:
		return rules.Answer(promotion.MakePromotionNext())
	case 2:
		return rules.Declined[promotion.Promotion](answers.ByChance)
	default:
		value := MakeValueText(answers.Numbered(number % 4))
		return rules.Answer(promotion.MakePromotionSet(value))
	}
}

func echo() promotion.Promotion {
	last := reads.Last()
	if last.IsNone() {
		return promotion.MakePromotionClear()
	}
	return promotion.MakePromotionSet(last.Some())
}
