"""Whose an account is: by its employee number; `adm-anna` is a second account of
whoever logs in as `anna`. The parameter `prefix` replaces `adm-`."""

from idr_rule import invalid, value_or
from wit_world import exports
from wit_world.imports import account
from wit_world.imports.parameters import parameter
from wit_world.imports.types import Lookup, Value_Text


class AccountCorrelation(exports.AccountCorrelation):
    def correlate(self):
        match account.attribute("employeeNumber"):
            case Value_Text(number):
                return Lookup("employeeNumber", number)
            case None:
                pass
            case _:
                raise invalid("`employeeNumber` is not text")
        prefix = value_or(parameter("prefix"), "adm-")
        name = account.native_identity()
        return Lookup("login", name.removeprefix(prefix)) if name.startswith(prefix) else None
