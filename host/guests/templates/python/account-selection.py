"""Which account is meant: roles whose names begin with `Admin` belong to the
administrator's account, whose native identity begins with `adm-`, everything
else to the other one. The parameter `prefix` replaces `adm-`."""

from idr_rule import value_or
from wit_world import exports
from wit_world.exports.account_selection import (
    Selection_Ask,
    Selection_Existing,
    Selection_NewAccount,
)
from wit_world.imports.parameters import parameter


class AccountSelection(exports.AccountSelection):
    def select(self, need):
        prefix = value_or(parameter("prefix"), "adm-")
        is_privileged = (need.role or "").startswith("Admin")
        names = [account.native_identity for account in need.candidates]
        match [name for name in names if name.startswith(prefix) == is_privileged]:
            case [name]:
                return Selection_Existing(name)
            case [] if need.may_create:
                return Selection_NewAccount()
            case _:
                return Selection_Ask()
