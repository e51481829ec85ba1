// Package answers has what several kinds answer with.
package answers

import (
	"strconv"

	. "go.bytecodealliance.org/pkg/wit/types"
	. "wit_component/idr_rules_types"
)

// ByChance is why there is no answer.
const ByChance = "by chance"

// Numbered is `v` and a number.
func Numbered(number uint64) string {
	return "v" + strconv.FormatUint(number, 10)
}

// Correlated says whom to look for, by a number below 7.
func Correlated(drawn uint64) Result[Option[Lookup], RuleError] {
	attribute := "title"
	switch drawn {
	case 0:
		return Err[Option[Lookup]](MakeRuleErrorDeclined(ByChance))
	case 1:
		return Ok[Option[Lookup], RuleError](None[Lookup]())
	case 2, 3:
		attribute = "location"
	}
	lookup := Lookup{Attribute: attribute, Value: Numbered(drawn % 4)}
	return Ok[Option[Lookup], RuleError](Some(lookup))
}

// Proposed proposes values of attributes.
func Proposed(drawn uint64) Result[[]Proposal, RuleError] {
	proposals := []Proposal{}
	switch drawn % 7 {
	case 0:
		return Err[[]Proposal](MakeRuleErrorDeclined(ByChance))
	case 1:
	case 2:
		proposals = append(proposals, Proposal{Attribute: "team", Value: None[Value]()})
	case 3:
		proposals = append(proposals, proposal("department", drawn))
	case 4:
		proposals = append(proposals, proposal("location", drawn))
	default:
		proposals = append(proposals, proposal("team", drawn), proposal("location", drawn+1))
	}
	return Ok[[]Proposal, RuleError](proposals)
}

func proposal(attribute string, number uint64) Proposal {
	return Proposal{Attribute: attribute, Value: Some(MakeValueText(Numbered(number % 4)))}
}
