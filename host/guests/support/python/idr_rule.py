"""What every rule in Python uses. Written by `idr rule build`; changes are lost."""

import functools

from componentize_py_types import Err
from wit_world.imports.types import RuleError_Declined, RuleError_Failed, RuleError_Invalid


def guarded(ask):
    """Turns an exception into the error `failed`, with its text and its line."""

    @functools.wraps(ask)
    def answer(*asked):
        try:
            return ask(*asked)
        except Err:
            raise
        except Exception as error:
            place = error.__traceback__
            while place.tb_next is not None:
                place = place.tb_next
            what = f"{type(error).__name__}: {error} (line {place.tb_lineno})"
            raise Err(RuleError_Failed(what)) from error

    return answer


def declined(why):
    """The rule can't tell: `raise declined("status is missing")`."""
    return Err(RuleError_Declined(why))


def invalid(why):
    """What was read makes no sense."""
    return Err(RuleError_Invalid(why))


def value_or(value, default):
    """What is in a value, such as `7` in `Value_Integer(7)`, or a default."""
    return default if value is None else value.value
