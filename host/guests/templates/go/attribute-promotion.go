// Package export_idr_rules_attribute_promotion works out the display name:
// given name and family name, whichever there are.
package export_idr_rules_attribute_promotion

import (
	"fmt"
	"strings"

	. "go.bytecodealliance.org/pkg/wit/types"
	promotion "wit_component/idr_rules_attribute_promotion"
	subject "wit_component/idr_rules_subject"
	. "wit_component/idr_rules_types"
	"wit_component/rules"
)

func Promote(attribute string) (answer Result[promotion.Promotion, RuleError]) {
	defer rules.Guard(&answer)
	var names []string
	for _, name := range []string{"givenName", "familyName"} {
		value := subject.Attribute(name)
		switch {
		case rules.Is(value, Value_Text):
			names = append(names, value.Some().Text())
		case value.IsSome():
			return rules.Invalid[promotion.Promotion](fmt.Sprintf("`%s` is not text", name))
		}
	}
	// Without any, the attribute's next source is asked.
	if names == nil {
		return rules.Answer(promotion.MakePromotionNext())
	}
	displayName := MakeValueText(strings.Join(names, " "))
	return rules.Answer(promotion.MakePromotionSet(displayName))
}
