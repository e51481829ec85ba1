"""Nobody may have more than two administrator roles: those whose names begin with
`Admin`. The parameter `most` is another number."""

from idr_rule import value_or
from wit_world import exports
from wit_world.exports.policy import Grant_Role, Violation
from wit_world.imports.access import roles
from wit_world.imports.parameters import parameter


class Policy(exports.Policy):
    def judge(self, policy):
        most = value_or(parameter("most"), 2)
        held = [role for role in roles() if role.startswith("Admin")]
        if len(held) <= most:
            return []
        description = f"more than {most} administrator roles"
        return [Violation(description, [Grant_Role(role) for role in held])]
