"""What every rule in Python uses. Written by `idr rule build`; changes are lost."""

import functools

from componentize_py_types import Err
from wit_world.imports.types import RuleError_Declined, RuleError_Failed, RuleError_Invalid


def guarded(ask):
    """Turns an exception into the error `failed`, with its text and its place."""

    @functools.wraps(ask)
    def answer(*asked):
        try:
            return ask(*asked)
        except Err:
            raise
        except BaseException as error:
            what = f"{type(error).__name__}: {error}" + calls(error.__traceback__.tb_next)
            raise Err(RuleError_Failed(what)) from error

    return answer


def calls(place):
    """Says which functions an exception came through, innermost first."""
    lines = []
    while place is not None:
        lines.append(f"\n    at {place.tb_frame.f_code.co_qualname} (line {place.tb_lineno})")
        place = place.tb_next
    return "".join(reversed(lines[-12:]))


def declined(why):
    """The rule can't tell: `raise declined("status is missing")`."""
    return Err(RuleError_Declined(why))


def invalid(why):
    """What was read makes no sense."""
    return Err(RuleError_Invalid(why))


def value_or(value, default):
    """What is in a value, such as `7` in `Value_Integer(7)`, or a default."""
    return default if value is None else value.value
