"""Keeps the family name that somebody had before, in the attribute that the
parameter `keepIn` names, or in `formerName`."""

from idr_rule import value_or
from wit_world import exports
from wit_world.imports.parameters import parameter
from wit_world.imports.types import Proposal


class ValueChange(exports.ValueChange):
    def propose(self, attribute, old_value, new_value):
        if attribute != "familyName" or old_value is None:
            return []
        keep_in = value_or(parameter("keepIn"), "formerName")
        return [Proposal(keep_in, old_value)]
