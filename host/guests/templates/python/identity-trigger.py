"""Whether somebody has moved: the department isn't what it was. The parameter
`attribute` names another attribute to look at."""

from idr_rule import value_or
from wit_world import exports
from wit_world.imports import baseline, subject
from wit_world.imports.parameters import parameter


class IdentityTrigger(exports.IdentityTrigger):
    def fires(self, trigger):
        # Somebody who is new hasn't moved.
        if not baseline.exists():
            return False
        name = value_or(parameter("attribute"), "department")
        return subject.attribute(name) != baseline.attribute(name)
