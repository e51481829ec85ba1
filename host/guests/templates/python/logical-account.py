"""The accounts of a logical application: whoever's account in `directory` is in
the group `crm-users` has one. Its `level` is that of the account with the same
native identity in `crm-db`. The parameter `group` names another group."""

from idr_rule import value_or
from wit_world import exports
from wit_world.exports.logical_account import Attribute, Composed, Part
from wit_world.imports.parameters import parameter
from wit_world.imports.tiers import accounts, attribute
from wit_world.imports.types import AccountStatus


class LogicalAccount(exports.LogicalAccount):
    def compose(self, application):
        group = value_or(parameter("group"), "crm-users")
        rows = {row.native_identity: row for row in present("crm-db")}
        return [
            composed(account, rows.get(account.native_identity))
            for account in present("directory")
            if group in value_or(attribute(account.handle, "groups"), [])
        ]


def present(application):
    """Lists the accounts that haven't vanished."""
    every = accounts(application)
    return [account for account in every if account.status != AccountStatus.VANISHED]


def composed(account, row):
    name = account.native_identity
    attributes, parts = [], [Part("directory", name)]
    if row is not None:
        parts.append(Part("crm-db", name))
        level = attribute(row.handle, "level")
        attributes = [] if level is None else [Attribute("level", level)]
    return Composed(name, account.status, attributes, parts)
