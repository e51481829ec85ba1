// Package rules is what every rule in Go uses.
//
// Written by `idr rule build`; changes are lost.
package rules

import (
	"fmt"
	"runtime"
	"strings"

	. "go.bytecodealliance.org/pkg/wit/types"
	. "wit_component/idr_rules_types"
)

// Guard turns a panic into the error `failed`, with its text and its place.
// Defer it first thing in every exported function, on its named result:
//
//	func State() (answer Result[string, RuleError]) {
//		defer rules.Guard(&answer)
func Guard[T any](answer *Result[T, RuleError]) {
	switch cause := recover().(type) {
	case nil:
	case RuleError:
		*answer = Err[T](cause)
	default:
		*answer = Err[T](MakeRuleErrorFailed(fmt.Sprint(cause) + place()))
	}
}

// place says where the panic came from: the first place outside Go's runtime.
func place() string {
	callers := make([]uintptr, 32)
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers)])
	for {
		frame, more := frames.Next()
		if frame.Function != "" && !strings.HasPrefix(frame.Function, "runtime.") {
			file := frame.File[strings.LastIndex(frame.File, "/")+1:]
			return fmt.Sprintf(" (%s:%d)", file, frame.Line)
		}
		if !more {
			return ""
		}
	}
}

// Answer is an answer of a rule that has one.
func Answer[T any](answer T) Result[T, RuleError] {
	return Ok[T, RuleError](answer)
}

// Declined is no answer: the rule can't tell.
func Declined[T any](why string) Result[T, RuleError] {
	return Err[T](MakeRuleErrorDeclined(why))
}

// Invalid is no answer: what was read makes no sense.
func Invalid[T any](why string) Result[T, RuleError] {
	return Err[T](MakeRuleErrorInvalid(why))
}

// Is says whether there is a value of that type, such as Value_Date.
func Is(value Option[Value], tag uint8) bool {
	return value.IsSome() && value.Some().Tag() == tag
}

// Text returns a value that is a text, or else another text.
func Text(value Option[Value], otherwise string) string {
	if Is(value, Value_Text) {
		return value.Some().Text()
	}
	return otherwise
}
