"""The display name: given name and family name, whichever there are."""

from idr_rule import invalid
from wit_world import exports
from wit_world.exports.attribute_promotion import Promotion_Next, Promotion_Set
from wit_world.imports.subject import attribute
from wit_world.imports.types import Value_Text


class AttributePromotion(exports.AttributePromotion):
    def promote(self, promoted):
        names = [name for name in map(text_of, ("givenName", "familyName")) if name]
        # Without any, the attribute's next source is asked.
        return Promotion_Set(Value_Text(" ".join(names))) if names else Promotion_Next()


def text_of(name):
    match attribute(name):
        case None:
            return ""
        case Value_Text(text):
            return text
        case _:
            raise invalid(f"`{name}` is not text")
