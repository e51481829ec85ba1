"""Which identity an account gives rise to: none for test accounts and for those
not in use, a contractor for externals. The parameter `prefix` replaces `test-`."""

from idr_rule import value_or
from wit_world import exports
from wit_world.exports.identity_creation import Creation_Create, Creation_Skip, NewIdentity
from wit_world.imports import account
from wit_world.imports.parameters import parameter
from wit_world.imports.types import AccountStatus, Value_Text


class IdentityCreation(exports.IdentityCreation):
    def create(self):
        prefix = value_or(parameter("prefix"), "test-")
        if account.native_identity().startswith(prefix):
            return Creation_Skip("a test account")
        if account.status() != AccountStatus.ENABLED:
            return Creation_Skip("not in use")
        is_external = account.attribute("employment") == Value_Text("external")
        # What is None is as the application's configuration says.
        return Creation_Create(NewIdentity(None, "contractor" if is_external else None))
