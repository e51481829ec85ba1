"""The lifecycle state, by the first and the last day of work. The parameter
`graceDays` says for how long somebody stays active afterwards.

The rule never asks what time it is, only whether a day has come or is over: so
the host knows when to refresh the person again."""

from idr_rule import invalid, value_or
from wit_world import exports
from wit_world.imports import time
from wit_world.imports.parameters import parameter
from wit_world.imports.subject import attribute
from wit_world.imports.types import TimeOfDay, Value_Date

MIDNIGHT = TimeOfDay(0, 0, 0)
# An empty zone is the identity's own, or else the tenant's.
THEIR_ZONE = ""


class LifecycleState(exports.LifecycleState):
    def state(self):
        start, end = date_of("startDate"), date_of("endDate")
        if start and not time.date_reached(start, MIDNIGHT, THEIR_ZONE):
            return "prehire"
        grace_days = value_or(parameter("graceDays"), 0)
        if end and time.day_over(time.plus_days(end, grace_days), THEIR_ZONE):
            return "inactive"
        return "active"


def date_of(name):
    match attribute(name):
        case None:
            return None
        case Value_Date(date):
            return date
        case _:
            raise invalid(f"`{name}` is not a date")
