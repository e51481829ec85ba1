"""The home directory of an account: `/home`, the site if there is one, and the
login. The parameter `root` replaces `/home`."""

from idr_rule import invalid, value_or
from wit_world import exports
from wit_world.exports.target_mapping import Mapping_Clear, Mapping_Leave, Mapping_Set
from wit_world.imports.parameters import parameter
from wit_world.imports.subject import attribute
from wit_world.imports.types import Value_Text


class TargetMapping(exports.TargetMapping):
    def map_target(self, target):
        if target.attribute != "homeDirectory":
            return Mapping_Leave()
        login = text_of("login")
        if login is None:
            return Mapping_Clear()
        places = [value_or(parameter("root"), "/home"), text_of("site"), login]
        home = "/".join(place for place in places if place is not None)
        return Mapping_Set(Value_Text(home))


def text_of(name):
    match attribute(name):
        case None:
            return None
        case Value_Text(text):
            return text
        case _:
            raise invalid(f"`{name}` is not text")
