"""What every rule in Python uses. Written by `idr rule build`; changes are lost."""

from componentize_py_types import Err
from wit_world.imports.types import RuleError_Declined, RuleError_Invalid


def guarded(ask):
    """Does nothing any more: what it did is done for every rule when it is built."""
    return ask


def declined(why):
    """The rule can't tell: `raise declined("status is missing")`."""
    return Err(RuleError_Declined(why))


def invalid(why):
    """What was read makes no sense."""
    return Err(RuleError_Invalid(why))


def value_or(value, default):
    """What is in a value, such as `7` in `Value_Integer(7)`, or a default."""
    return default if value is None else value.value
