"""Who is eligible for which role: a role is named after the department that has
it. The parameter `always` lists roles that everybody has."""

from idr_rule import value_or
from wit_world import exports
from wit_world.exports.role_assignment import Eligibility_CannotTell, Eligibility_No, Eligibility_Yes
from wit_world.imports.parameters import parameter
from wit_world.imports.subject import attribute
from wit_world.imports.types import Value_Text


class RoleAssignment(exports.RoleAssignment):
    def assign(self, candidates):
        always = value_or(parameter("always"), [])
        department = attribute("department")
        # One answer per candidate, in their order.
        return [eligibility(role, department, always) for role in candidates]


def eligibility(role, department, always):
    if role in always or department == Value_Text(role):
        return Eligibility_Yes()
    if department is None:
        return Eligibility_CannotTell("no department")
    return Eligibility_No()
