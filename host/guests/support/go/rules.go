// Package rules is what every rule in Go uses.
//
// Written by `idr rule build`; changes are lost.
package rules

import (
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	. "go.bytecodealliance.org/pkg/wit/types"
	. "wit_component/idr_rules_types"
)

// What is written to stderr is logged from here, a line each: what the runtime says of
// a fatal error, or of a panic that nobody guards against.
var line [1000]byte

//go:wasmimport wasi_snapshot_preview1 adapter_keep_stderr
func keepStderr(buffer unsafe.Pointer, capacity uint32)

func init() {
	keepStderr(unsafe.Pointer(&line), uint32(len(line)))
}

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

// place says which functions the panic came through, innermost first, without those
// of Go's runtime and of the bindings.
func place() string {
	callers := make([]uintptr, 32)
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers)])
	calls := ""
	for {
		frame, more := frames.Next()
		if strings.HasPrefix(frame.Function, "main.") || frame.Function == "" {
			return calls
		}
		if !strings.HasPrefix(frame.Function, "runtime.") {
			function := frame.Function[strings.LastIndex(frame.Function, "/")+1:]
			file := frame.File[strings.LastIndex(frame.File, "/")+1:]
			calls += fmt.Sprintf("\n    at %s (%s:%d)", function, file, frame.Line)
		}
		if !more {
			return calls
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
