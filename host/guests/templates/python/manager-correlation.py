"""Whom an account names as the manager: by address, or by employee number. The
word `none` is nobody."""

from idr_rule import invalid
from wit_world import exports
from wit_world.imports.types import Lookup, Value_Integer, Value_Text


class ManagerCorrelation(exports.ManagerCorrelation):
    def correlate(self, manager):
        match manager:
            case Value_Text("none"):
                return None
            case Value_Text(address) if "@" in address:
                return Lookup("email", address)
            case Value_Text(number) | Value_Integer(number):
                return Lookup("employeeNumber", str(number))
            case _:
                raise invalid("the manager is neither text nor a number")
