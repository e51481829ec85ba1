"""Every kind of rule in one component, told by parameters what to read.

The same as `rules-examples/rust/all-kinds`, where the parameters are explained.
One class per kind, named after its interface.
"""

from idr_rule import declined, invalid
from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.account_selection import (
    Selection_Ask,
    Selection_Existing,
    Selection_NewAccount,
)
from wit_world.exports.attribute_promotion import Promotion_Clear, Promotion_Next, Promotion_Set
from wit_world.exports.identity_creation import Creation_Create, Creation_Skip, NewIdentity
from wit_world.exports.logical_account import Attribute, Composed, Part
from wit_world.exports.policy import Entitlement, Grant_Entitlement, Grant_Role, Violation
from wit_world.exports.role_assignment import Eligibility_CannotTell, Eligibility_No, Eligibility_Yes
from wit_world.exports.target_mapping import Mapping_Clear, Mapping_Leave, Mapping_Set
from wit_world.imports import (
    access,
    account,
    baseline,
    entitlements,
    log,
    roles,
    subject,
    tiers,
    time,
)
from wit_world.imports.parameters import parameter
from wit_world.imports.types import (
    AccountStatus,
    Lookup,
    Proposal,
    RuleError_Failed,
    TimeOfDay,
    Value_Boolean,
    Value_Date,
    Value_Decimal,
    Value_Instant,
    Value_Integer,
    Value_Many,
    Value_Text,
)

# An empty zone is the identity's own, or else the tenant's.
THEIR_ZONE = ""

STATUS = {
    AccountStatus.ENABLED: "enabled",
    AccountStatus.DISABLED: "disabled",
    AccountStatus.LOCKED: "locked",
    AccountStatus.VANISHED: "vanished",
}


class AccountCorrelation(exports.AccountCorrelation):
    def correlate(self):
        match draw() % 7:
            case 0:
                raise by_chance()
            case number:
                return lookup(number)


class IdentityCreation(exports.IdentityCreation):
    def create(self):
        match draw() % 5:
            case 0:
                raise by_chance()
            case 1:
                return Creation_Skip("by chance")
            case number:
                return Creation_Create(NewIdentity(name=f"v{number}", identity_type=None))


class BeforeRefresh(exports.BeforeRefresh):
    def propose(self):
        return proposals(draw())


class AfterRefresh(exports.AfterRefresh):
    def propose(self):
        return proposals(draw())


class ValueChange(exports.ValueChange):
    def propose(self, attribute, old_value, new_value):
        drawn = draw()
        change = "/".join([attribute, spoken(old_value), spoken(new_value)])
        return proposals(stirred(drawn, change))


def proposals(drawn):
    match drawn % 7:
        case 0:
            raise by_chance()
        case 1:
            return []
        case 2:
            return [Proposal("team", None)]
        case 3:
            return [proposal("department", drawn)]
        case 4:
            return [proposal("location", drawn)]
        case _:
            return [proposal("team", drawn), proposal("location", drawn + 1)]


def proposal(attribute, number):
    return Proposal(attribute, Value_Text(f"v{number % 4}"))


class ManagerCorrelation(exports.ManagerCorrelation):
    def correlate(self, manager):
        drawn = draw()
        match manager:
            case Value_Text(name):
                drawn = stirred(drawn, name)
            case _:
                raise invalid("the manager is no text")
        match drawn % 7:
            case 0:
                raise by_chance()
            case number:
                return lookup(number)


def lookup(drawn):
    match drawn:
        case 1:
            return None
        case 2 | 3:
            attribute = "location"
        case _:
            attribute = "title"
    return Lookup(attribute, f"v{drawn % 4}")


class AttributePromotion(exports.AttributePromotion):
    def promote(self, attribute):
        if attribute == "echo":
            value = last_read()
            return Promotion_Clear() if value is None else Promotion_Set(value)
        match draw() % 9:
            case 0:
                return Promotion_Clear()
            case 1:
                return Promotion_Next()
            case 2:
                raise by_chance()
            case number:
                return Promotion_Set(Value_Text(f"v{number % 4}"))


class LifecycleState(exports.LifecycleState):
    def state(self):
        match parameter("gone-without"):
            case Value_Text(application):
                accounts = subject.accounts(application)
                if all(account.status == AccountStatus.VANISHED for account in accounts):
                    return "gone"
        match draw() % 8:
            case 0:
                raise by_chance()
            case 1:
                return "no such state"
            case 2:
                return "gone"
            case 3 | 4:
                return "leave"
            case _:
                return "active"


class RoleAssignment(exports.RoleAssignment):
    def assign(self, candidates):
        drawn = draw()
        if drawn % 11 == 0:
            raise by_chance()
        return [eligibility(drawn + index) for index in range(len(candidates))]


def eligibility(number):
    match number % 5:
        case 0 | 1:
            return Eligibility_Yes()
        case 2:
            return Eligibility_CannotTell("by chance")
        case _:
            return Eligibility_No()


class IdentityTrigger(exports.IdentityTrigger):
    def fires(self, trigger):
        match draw() % 5:
            case 0:
                raise by_chance()
            case number:
                return number % 2 == 0


class LogicalAccount(exports.LogicalAccount):
    def compose(self, application):
        drawn = stirred(draw(), application)
        tier = text_parameter("tiers")
        every = tiers.accounts(tier)
        accounts = [account for account in every if account.status != AccountStatus.VANISHED]
        parts = [Part(tier, account.native_identity) for account in accounts]
        match drawn % 7:
            case 0:
                raise by_chance()
            case 1:
                return []
            case 2:
                # One of all.
                name = f"v{drawn % 4}"
                return [Composed(name, first.status, [], parts) for first in accounts[:1]]
            case _:
                # One of each.
                return [
                    composed(account, part, drawn + index)
                    for index, (account, part) in enumerate(zip(accounts, parts))
                ]


def composed(account, part, number):
    level = Attribute("level", Value_Text(f"v{number % 4}"))
    return Composed(account.native_identity, account.status, [level], [part])


class Policy(exports.Policy):
    def judge(self, policy):
        drawn = stirred(draw(), policy)
        match drawn % 7:
            case 0:
                raise by_chance()
            case 1 | 2:
                return []
            case 3:
                return violations("by chance", [Grant_Role(role) for role in access.roles()])
            case 4:
                return violations("by chance", granted())
            case _:
                return [
                    Violation(f"v{(drawn + index) % 4}", [Grant_Role(role)])
                    for index, role in enumerate(access.roles())
                ]


def violations(description, grants):
    """A violation, if anything breaks the policy."""
    return [Violation(description, grants)] if grants else []


def granted():
    """The entitlements of the access that `held` names."""
    if parameter("held") is None:
        return []
    application, _, attribute = text_parameter("held").partition(" ")
    return [
        Grant_Entitlement(Entitlement(application, attribute, value))
        for value in access.held(application, attribute)
    ]


class AccountSelection(exports.AccountSelection):
    def select(self, need):
        drawn = stirred(draw(), f"{need.application}/{need.role or ''}")
        match drawn % 5:
            case 0:
                raise by_chance()
            case 1:
                return Selection_Ask()
            case 2 if need.may_create:
                return Selection_NewAccount()
        if not need.candidates:
            return Selection_Ask()
        account = need.candidates[drawn % len(need.candidates)]
        return Selection_Existing(account.native_identity)


class TargetMapping(exports.TargetMapping):
    def map_target(self, target):
        if target.attribute == "echo":
            value = last_read()
            return Mapping_Clear() if value is None else Mapping_Set(value)
        asked = "/".join([target.application, target.attribute, target.native_identity or ""])
        drawn = stirred(draw(), asked)
        match drawn % 7:
            case 0:
                raise by_chance()
            case 1:
                return Mapping_Clear()
            case 2:
                return Mapping_Leave()
            case _:
                return Mapping_Set(Value_Text(f"v{drawn % 4}"))


def by_chance():
    return declined("by chance")


def draw():
    """Reads what the parameters say, and draws a number from what that gives."""
    match parameter("seed"):
        case None:
            drawn = 0
        case Value_Integer(seed):
            drawn = seed % 2**64
        case _:
            raise invalid("`seed` is not an integer")
    # FNV-1a over the texts, in 64 bits.
    for read in reads():
        for byte in spoken(read_one(read)).encode():
            drawn = (drawn ^ byte) * 0x100000001B3 % 2**64
    return drawn >> 7


def stirred(drawn, text):
    for byte in text.encode():
        drawn = (drawn * 31 + byte) % 2**64
    return drawn


def last_read():
    last = None
    for read in reads():
        last = read_one(read)
    return last


def text_parameter(name):
    match parameter(name):
        case Value_Text(text):
            return text
    raise invalid(f"`{name}` is not text")


def reads():
    match parameter("reads"):
        case Value_Many(reads):
            return reads
        case _:
            raise invalid("`reads` is not a list of texts")


def read_one(read):
    what, _, rest = read.partition(" ")
    match what:
        case "info":
            log.info(rest)
        case "warn":
            log.warn(rest)
        case "declined":
            raise declined(rest)
        case "invalid":
            raise invalid(rest)
        case "failed":
            raise Err(RuleError_Failed(rest))
        case "throw":
            raise RuntimeError(rest)
        case _:
            return read_value(read)
    return None


def read_value(read):
    match read.split(" "):
        case ["attribute", name]:
            return subject.attribute(name)
        case ["both", one, other]:
            return Value_Text("".join(map(spoken, subject.attributes([one, other]))))
        case ["manager-attribute", name]:
            return subject.manager_attribute(name)
        case ["parameter", name]:
            return parameter(name)
        case ["account", application, name]:
            return Value_Text(accounts(application, name))
        case ["first", application, one, other]:
            handle = subject.first_account(application)
            if handle is None:
                return None
            values = subject.account_attributes(handle, [one, other])
            return Value_Text("".join(map(spoken, values)))
        case ["over", name]:
            day = day_of(name)
            return day and Value_Boolean(time.day_over(day, THEIR_ZONE))
        case ["reached", name, hour]:
            day = day_of(name)
            return day and Value_Boolean(time.date_reached(day, o_clock(hour), THEIR_ZONE))
        case ["passed", name]:
            match subject.attribute(name):
                case None:
                    return None
                case Value_Instant(moment):
                    return Value_Boolean(time.reached(moment))
            raise invalid(f"`{name}` is not an instant")
        case ["at", name, hour]:
            day = day_of(name)
            return day and Value_Instant(time.instant_at(day, o_clock(hour), THEIR_ZONE))
        case ["plus", name, days]:
            day = day_of(name)
            return day and Value_Date(time.plus_days(day, number(days)))
        case ["today"]:
            return Value_Date(time.today(THEIR_ZONE))
        case ["holds", application, name, text]:
            return Value_Boolean(entitlements.holds(application, name, text))
        case ["held", application, name]:
            return Value_Many(entitlements.held(application, name))
        case ["assigned", role]:
            return Value_Boolean(roles.has_assigned(role))
        case ["detected", role]:
            return Value_Boolean(roles.has_detected(role))
        case ["seen"]:
            return Value_Boolean(baseline.exists())
        case ["baseline", name]:
            return baseline.attribute(name)
        case ["had", role]:
            return Value_Boolean(baseline.had_assigned(role))
        case ["own", name]:
            return account.attribute(name)
        case ["status"]:
            return Value_Text(STATUS[account.status()])
        case ["native-identity"]:
            return Value_Text(f"{account.application()} {account.native_identity()}")
        case ["tier", application, name]:
            return Value_Text(tier_accounts(application, name))
        case ["desired"]:
            return Value_Boolean(access.is_desired())
        case ["has", role]:
            return Value_Boolean(access.has_role(role))
        case ["roles"]:
            return Value_Many(access.roles())
        case ["can", application, name, text]:
            return Value_Boolean(access.holds(application, name, text))
        case ["granted", application, name]:
            return Value_Many(access.held(application, name))
    raise invalid(f"`{read}` is no read")


def accounts(application, name):
    """Tells the status and a value of each account."""
    return "".join(
        STATUS[account.status] + spoken(subject.account_attribute(account.handle, name))
        for account in subject.accounts(application)
    )


def tier_accounts(application, name):
    return "".join(
        STATUS[account.status] + spoken(tiers.attribute(account.handle, name))
        for account in tiers.accounts(application)
    )


def day_of(name):
    match subject.attribute(name):
        case None:
            return None
        case Value_Date(day):
            return day
    raise invalid(f"`{name}` is not a date")


def o_clock(hour):
    if not (hour.isdecimal() and int(hour) <= 23):
        raise invalid(f"`{hour}` is not an hour")
    return TimeOfDay(int(hour), 0, 0)


def number(text):
    try:
        return int(text)
    except ValueError:
        raise invalid(f"`{text}` is not a number") from None


def spoken(value):
    match value:
        case None:
            return ""
        case Value_Text(text) | Value_Decimal(text):
            return text
        case Value_Integer(number) | Value_Instant(number):
            return str(number)
        case Value_Boolean(truth):
            return "yes" if truth else "no"
        case Value_Date(day):
            return f"{day.year:04}-{day.month:02}-{day.day:02}"
        case Value_Many(texts):
            return ", ".join(texts)
