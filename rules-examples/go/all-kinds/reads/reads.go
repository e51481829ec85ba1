// Package reads reads what the parameters say.
package reads

import (
	"fmt"
	"strconv"
	"strings"

	. "go.bytecodealliance.org/pkg/wit/types"
	access "wit_component/idr_rules_access"
	account "wit_component/idr_rules_account"
	baseline "wit_component/idr_rules_baseline"
	entitlements "wit_component/idr_rules_entitlements"
	log "wit_component/idr_rules_log"
	parameters "wit_component/idr_rules_parameters"
	roles "wit_component/idr_rules_roles"
	subject "wit_component/idr_rules_subject"
	tiers "wit_component/idr_rules_tiers"
	time "wit_component/idr_rules_time"
	. "wit_component/idr_rules_types"
	"wit_component/rules"
)

// An empty zone is the identity's own, or else the tenant's.
const theirZone = ""

var statusWords = []string{"enabled", "disabled", "locked", "vanished"}

// Draw reads everything and draws a number from what that gives. It panics with
// a RuleError, which the guard makes the answer.
func Draw() uint64 {
	drawn := seed()
	// FNV-1a over the texts.
	for _, read := range all() {
		for _, character := range []byte(Spoken(readOne(read))) {
			drawn = (drawn ^ uint64(character)) * 0x100000001b3
		}
	}
	return drawn >> 7
}

// Stirred stirs a text into a number.
func Stirred(drawn uint64, text string) uint64 {
	for _, character := range []byte(text) {
		drawn = drawn*31 + uint64(character)
	}
	return drawn
}

// Last reads everything and returns what came last.
func Last() Option[Value] {
	last := None[Value]()
	for _, read := range all() {
		last = readOne(read)
	}
	return last
}

// TextParameter returns a parameter that is a text.
func TextParameter(name string) string {
	text := parameters.Parameter(name)
	if !rules.Is(text, Value_Text) {
		panic(MakeRuleErrorInvalid(fmt.Sprintf("`%s` is not text", name)))
	}
	return text.Some().Text()
}

func seed() uint64 {
	seed := parameters.Parameter("seed")
	switch {
	case seed.IsNone():
		return 0
	case rules.Is(seed, Value_Integer):
		return uint64(seed.Some().Integer())
	}
	panic(MakeRuleErrorInvalid("`seed` is not an integer"))
}

func all() []string {
	reads := parameters.Parameter("reads")
	if !rules.Is(reads, Value_Many) {
		panic(MakeRuleErrorInvalid("`reads` is not a list of texts"))
	}
	return reads.Some().Many()
}

func readOne(read string) Option[Value] {
	what, rest, _ := strings.Cut(read, " ")
	switch what {
	case "info":
		log.Info(rest)
	case "warn":
		log.Warn(rest)
	case "declined":
		panic(MakeRuleErrorDeclined(rest))
	case "invalid":
		panic(MakeRuleErrorInvalid(rest))
	case "failed":
		panic(MakeRuleErrorFailed(rest))
	case "throw":
		panic(rest)
	default:
		return readValue(read)
	}
	return None[Value]()
}

func readValue(read string) Option[Value] {
	word := strings.Split(read, " ")
	is := func(what string, others int) bool { return word[0] == what && len(word) == others+1 }
	switch {
	case is("attribute", 1):
		return subject.Attribute(word[1])
	case is("manager-attribute", 1):
		return subject.ManagerAttribute(word[1])
	case is("both", 2):
		return Some(MakeValueText(together(subject.Attributes(word[1:]))))
	case is("first", 3):
		handle := subject.FirstAccount(word[1])
		if handle.IsNone() {
			return None[Value]()
		}
		return Some(MakeValueText(together(subject.AccountAttributes(handle.Some(), word[2:]))))
	case is("parameter", 1):
		return parameters.Parameter(word[1])
	case is("account", 2):
		return Some(MakeValueText(accounts(word[1], word[2])))
	case is("over", 1):
		return ofDay(word[1], func(day Date) Value {
			return MakeValueBoolean(time.DayOver(day, theirZone))
		})
	case is("reached", 2):
		return ofDay(word[1], func(day Date) Value {
			return MakeValueBoolean(time.DateReached(day, oClock(word[2]), theirZone))
		})
	case is("passed", 1):
		moment := subject.Attribute(word[1])
		if moment.IsSome() && !rules.Is(moment, Value_Instant) {
			panic(MakeRuleErrorInvalid(fmt.Sprintf("`%s` is not an instant", word[1])))
		}
		if moment.IsNone() {
			return moment
		}
		return Some(MakeValueBoolean(time.Reached(moment.Some().Instant())))
	case is("at", 2):
		return ofDay(word[1], func(day Date) Value {
			return MakeValueInstant(time.InstantAt(day, oClock(word[2]), theirZone))
		})
	case is("plus", 2):
		return ofDay(word[1], func(day Date) Value {
			return MakeValueDate(time.PlusDays(day, number(word[2])))
		})
	case is("today", 0):
		return Some(MakeValueDate(time.Today(theirZone)))
	case is("holds", 3):
		return Some(MakeValueBoolean(entitlements.Holds(word[1], word[2], word[3])))
	case is("held", 2):
		return Some(MakeValueMany(entitlements.Held(word[1], word[2])))
	case is("assigned", 1):
		return Some(MakeValueBoolean(roles.HasAssigned(word[1])))
	case is("detected", 1):
		return Some(MakeValueBoolean(roles.HasDetected(word[1])))
	case is("seen", 0):
		return Some(MakeValueBoolean(baseline.Exists()))
	case is("baseline", 1):
		return baseline.Attribute(word[1])
	case is("had", 1):
		return Some(MakeValueBoolean(baseline.HadAssigned(word[1])))
	case is("own", 1):
		return account.Attribute(word[1])
	case is("status", 0):
		return Some(MakeValueText(statusWords[account.Status()]))
	case is("native-identity", 0):
		return Some(MakeValueText(account.Application() + " " + account.NativeIdentity()))
	case is("tier", 2):
		return Some(MakeValueText(tierAccounts(word[1], word[2])))
	case is("desired", 0):
		return Some(MakeValueBoolean(access.IsDesired()))
	case is("has", 1):
		return Some(MakeValueBoolean(access.HasRole(word[1])))
	case is("roles", 0):
		return Some(MakeValueMany(access.Roles()))
	case is("can", 3):
		return Some(MakeValueBoolean(access.Holds(word[1], word[2], word[3])))
	case is("granted", 2):
		return Some(MakeValueMany(access.Held(word[1], word[2])))
	}
	panic(MakeRuleErrorInvalid(fmt.Sprintf("`%s` is no read", read)))
}

// accounts tells the status and a value of each account.
func accounts(application, name string) string {
	var told strings.Builder
	for _, account := range subject.Accounts(application) {
		told.WriteString(statusWords[account.Status])
		told.WriteString(Spoken(subject.AccountAttribute(account.Handle, name)))
	}
	return told.String()
}

// together tells values one after the other.
func together(values []Option[Value]) string {
	var told strings.Builder
	for _, value := range values {
		told.WriteString(Spoken(value))
	}
	return told.String()
}

func tierAccounts(application, name string) string {
	var told strings.Builder
	for _, account := range tiers.Accounts(application) {
		told.WriteString(statusWords[account.Status])
		told.WriteString(Spoken(tiers.Attribute(account.Handle, name)))
	}
	return told.String()
}

// ofDay answers of a day that is an attribute; nothing when there is none.
func ofDay(name string, answer func(Date) Value) Option[Value] {
	day := subject.Attribute(name)
	if day.IsSome() && !rules.Is(day, Value_Date) {
		panic(MakeRuleErrorInvalid(fmt.Sprintf("`%s` is not a date", name)))
	}
	if day.IsNone() {
		return day
	}
	return Some(answer(day.Some().Date()))
}

func oClock(hour string) TimeOfDay {
	at, err := strconv.ParseUint(hour, 10, 8)
	if err != nil || at > 23 {
		panic(MakeRuleErrorInvalid(fmt.Sprintf("`%s` is not an hour", hour)))
	}
	return TimeOfDay{Hour: uint8(at)}
}

func number(text string) int32 {
	number, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		panic(MakeRuleErrorInvalid(fmt.Sprintf("`%s` is not a number", text)))
	}
	return int32(number)
}

// Spoken writes a value as a text.
func Spoken(option Option[Value]) string {
	if option.IsNone() {
		return ""
	}
	value := option.Some()
	switch value.Tag() {
	case Value_Text:
		return value.Text()
	case Value_Decimal:
		return value.Decimal()
	case Value_Integer:
		return strconv.FormatInt(value.Integer(), 10)
	case Value_Instant:
		return strconv.FormatInt(value.Instant(), 10)
	case Value_Boolean:
		if value.Boolean() {
			return "yes"
		}
		return "no"
	case Value_Date:
		day := value.Date()
		return fmt.Sprintf("%04d-%02d-%02d", day.Year, day.Month, day.Day)
	}
	return strings.Join(value.Many(), ", ")
}
