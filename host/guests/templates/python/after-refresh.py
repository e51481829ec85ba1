"""A red badge for whoever has a role, from the next refresh on: `Administrator`,
or what the parameter `role` says."""

from idr_rule import value_or
from wit_world import exports
from wit_world.imports import roles
from wit_world.imports.parameters import parameter
from wit_world.imports.types import Proposal, Value_Text


class AfterRefresh(exports.AfterRefresh):
    def propose(self):
        role = value_or(parameter("role"), "Administrator")
        return [Proposal("badge", Value_Text("red") if roles.has_assigned(role) else None)]
