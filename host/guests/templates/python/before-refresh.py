"""The location of a person's first account that is in use. The parameter
`application` says where; it is `hr` otherwise."""

from idr_rule import value_or
from wit_world import exports
from wit_world.imports.parameters import parameter
from wit_world.imports.subject import account_attribute, accounts
from wit_world.imports.types import AccountStatus, Proposal


class BeforeRefresh(exports.BeforeRefresh):
    def propose(self):
        application = value_or(parameter("application"), "hr")
        for account in accounts(application):
            if account.status == AccountStatus.ENABLED:
                return [Proposal("location", account_attribute(account.handle, "location"))]
        # What isn't proposed comes from its sources.
        return []
