"""What `idr rule build` puts around every rule in Python."""

import _datetime
import enum
import functools
import gc
import sys
import time

from componentize_py_types import Err
from wit_world.imports.types import RuleError_Failed


def asked(rule, answers, error):
    """Returns a rule's class as the host asks it: an exception becomes the error
    `failed`, with its text and its place, and so does an answer that doesn't fit, which
    would be a trap without words.

    `answers` and `error` describe what its functions answer, and what they raise."""
    raised = fitting(error)
    for name, described in answers.items():
        setattr(rule, name, guarded(getattr(rule, name), fitting(described), raised))
    return rule


def guarded(ask, misfit, raised):
    @functools.wraps(ask)
    def answer(*given):
        try:
            answered = ask(*given)
        except Err as error:
            if raised(error.value) is None:
                raise
            what = f"raised {shown(error.value)}" + calls(error.__traceback__)
            raise Err(RuleError_Failed(what)) from error
        except BaseException as error:
            what = f"{type(error).__name__}: {error}" + calls(error.__traceback__)
            raise Err(RuleError_Failed(what)) from error
        wrong = misfit(answered)
        if wrong is not None:
            raise Err(RuleError_Failed(f"`{ask.__qualname__}` answers {wrong}"))
        return answered

    return answer


def calls(place):
    """Says which functions an exception came through, innermost first."""
    lines = []
    while place is not None:
        code = place.tb_frame.f_code
        if code.co_filename != __file__:
            lines.append(f"\n    at {code.co_qualname} (line {place.tb_lineno})")
        place = place.tb_next
    return "".join(reversed(lines[-12:]))


def shown(value):
    text = repr(value)
    return text[:100] + "…" if len(text) > 100 else text


class Misfit:
    """What is wrong with a value, which may be part of another."""

    def __init__(self, value, wanted):
        self.value, self.wanted, self.at = value, wanted, ""

    def within(self, place):
        """The same, of what the value is part of."""
        rest = self.at and (self.at if self.at.startswith("[") else f".{self.at}")
        self.at = place + rest
        return self

    def __str__(self):
        return f"{shown(self.value)}{self.at and f' as `{self.at}`'}, and not {self.wanted}"


def fitting(described):
    """Returns a function that says how a value doesn't fit a description, if it
    doesn't."""
    kind, *more = described or ["anything"]
    return KINDS[kind](*more) if kind in KINDS else lambda value: None


def text():
    def misfit(value):
        if not isinstance(value, str):
            return Misfit(value, "a text")
        try:
            value.isascii() or value.encode()
        except UnicodeEncodeError:
            return Misfit(value, "a text of whole characters")

    return misfit


def integer(least, most):
    def misfit(value):
        if not isinstance(value, int) or not least <= value <= most:
            return Misfit(value, f"a whole number from {least} to {most}")

    return misfit


def option(item):
    misfit = fitting(item)
    return lambda value: None if value is None else misfit(value)


def word(words):
    def misfit(value):
        if not isinstance(value, enum.Enum):
            return Misfit(value, f"one of {listed(words)}")

    return misfit


def many(item):
    misfit_of_item = fitting(item)

    def misfit(value):
        if not isinstance(value, list):
            return Misfit(value, "a list")
        for place, known in enumerate(value):
            if (wrong := misfit_of_item(known)) is not None:
                return wrong.within(f"[{place}]")

    return misfit


def record(described):
    fields = [(name, fitting(field)) for name, field in described.items()]

    def misfit(value):
        for name, misfit_of_field in fields:
            if not hasattr(value, name):
                return Misfit(value, f"something with {listed(described)}")
            if (wrong := misfit_of_field(getattr(value, name))) is not None:
                return wrong.within(name)

    return misfit


def variant(described):
    cases = {name: case and fitting(case) for name, case in described.items()}

    def misfit(value):
        misfit_of_case = cases.get(type(value).__name__)
        if misfit_of_case is None:
            return Misfit(value, f"one of {listed(described)}")
        if misfit_of_case and (wrong := misfit_of_case(value.value)) is not None:
            return wrong.within("value")

    return misfit


def listed(names):
    return ", ".join(f"`{name}`" for name in names)


KINDS = {
    "text": text,
    "integer": integer,
    "option": option,
    "word": word,
    "list": many,
    "record": record,
    "variant": variant,
}


# Whatever counts as true is: `boolean` isn't among them.


def no_clock(what, ask, enough=None):
    """Returns what stands in place of a function that reads a clock, or that does unless
    it is given so many arguments: it says what to ask instead."""

    def refuse(*given):
        if enough and len(given) >= enough and given[-1] is not None:
            return ask(*given)
        # The library may read it while it is imported, which is when a rule is built.
        if not built and sys._getframe(1).f_code.co_filename.startswith(LIBRARY):
            return ask(*given)
        raise RuntimeError(
            f"`{what}` needs a clock, and a rule has none: ask `reached`, `date_reached`, "
            "`day_over` or `today` of `wit_world.imports.time`"
        )

    return refuse


LIBRARY = functools.__file__.removesuffix("functools.py")
CLOCKS = ("clock_get", "monotonic", "perf_counter", "process_time", "sleep", "time")
ENOUGH = {"asctime": 1, "ctime": 1, "gmtime": 1, "localtime": 1, "strftime": 2}
built = False

for name, ask in list(vars(time).items()):
    is_clock = name.startswith(CLOCKS) and callable(ask)
    if is_clock or name in ENOUGH:
        setattr(time, name, no_clock(f"time.{name}()", ask, ENOUGH.get(name)))

# These classes are written in C, and can't be changed as others can. The functions that
# are replaced are kept: the interpreter may have noted where they are.
replaced = []
for kind, names in {
    _datetime.date: ["today"],
    _datetime.datetime: ["now", "today", "utcnow"],
}.items():
    [own] = gc.get_referents(kind.__dict__)
    for name in names:
        replaced.append(own.get(name))
        own[name] = staticmethod(no_clock(f"{kind.__name__}.{name}()", None))
