"""Units of measure: a dimension and an exact factor for each, and the reading of products such as `km/h` or `cm^2`."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

Dimension = tuple[tuple[str, int], ...]

_F = Fraction
_BASE: dict[str, tuple[Fraction, str]] = {
    # length in metres
    "m": (_F(1), "L"), "cm": (_F(1, 100), "L"), "mm": (_F(1, 1000), "L"), "km": (_F(1000), "L"), "dm": (_F(1, 10), "L"),
    "nm": (_F(1, 10**9), "L"), "um": (_F(1, 10**6), "L"), "in": (_F(254, 10000), "L"), "ft": (_F(3048, 10000), "L"),
    "yd": (_F(9144, 10000), "L"), "mi": (_F(1609344, 1000), "L"),
    # time in seconds
    "s": (_F(1), "T"), "ms": (_F(1, 1000), "T"), "min": (_F(60), "T"), "h": (_F(3600), "T"), "day": (_F(86400), "T"),
    "week": (_F(604800), "T"),
    # calendar units have no fixed length in seconds
    "month": (_F(1), "month"), "year": (_F(12), "month"),
    # mass in kilograms
    "kg": (_F(1), "M"), "g": (_F(1, 1000), "M"), "mg": (_F(1, 10**6), "M"), "t": (_F(1000), "M"),
    "lb": (_F(45359237, 10**8), "M"), "oz": (_F(28349523125, 10**12), "M"),
    # volume: a litre is a cubic decimetre
    "L": (_F(1, 1000), "L3"), "mL": (_F(1, 10**6), "L3"), "gal": (_F(1), "gal"),
    # angle, money, energy, power, electricity, amounts
    "deg": (_F(1), "deg"), "rad": (_F(1), "rad"), "$": (_F(1), "$"), "cent": (_F(1, 100), "$"), "euro": (_F(1), "euro"),
    "pound": (_F(1), "pound"), "yuan": (_F(1), "yuan"), "rupee": (_F(1), "rupee"), "yen": (_F(1), "yen"),
    "J": (_F(1), "J"), "kJ": (_F(1000), "J"), "W": (_F(1), "W"), "kW": (_F(1000), "W"), "N": (_F(1), "N"),
    "Pa": (_F(1), "Pa"), "kPa": (_F(1000), "Pa"), "V": (_F(1), "V"), "A": (_F(1), "A"), "Hz": (_F(1), "Hz"),
    "kHz": (_F(1000), "Hz"), "MHz": (_F(10**6), "Hz"), "K": (_F(1), "K"), "degC": (_F(1), "degC"),
    "degF": (_F(1), "degF"), "mol": (_F(1), "mol"), "mph": (_F(1609344, 3600000), "L/T"), "kph":
    (_F(1000, 3600), "L/T"),
    "C": (_F(1), "C"), "T": (_F(1), "tesla"), "ohm": (_F(1), "ohm"), "eV": (_F(1), "eV"), "atm": (_F(1), "atm"),
    "mA": (_F(1, 1000), "A"), "kV": (_F(1000), "V"), "mW": (_F(1, 1000), "W"), "MW": (_F(10**6), "W"),
    "GHz": (_F(10**9), "Hz"), "cal": (_F(1), "cal"), "kcal": (_F(1000), "cal"), "MJ": (_F(10**6), "J"),
    "kN": (_F(1000), "N"),
    "%": (_F(1), "%"), "unit": (_F(1), ""),
}  # fmt: skip
_ALIASES = {
    "m": "meter meters metre metres", "cm": "centimeter centimeters centimetre centimetres cms", "mm":
    "millimeter millimeters millimetre millimetres", "km": "kilometer kilometers kilometre kilometres kms", "in":
    "inch inches", "ft": "foot feet", "yd": "yard yards yds", "mi": "mile miles", "s": "second seconds sec secs", "min":
    "minute minutes mins", "h": "hour hours hr hrs", "day": "days", "week": "weeks", "month": "months", "year":
    "years yr yrs", "kg": "kilogram kilograms kgs", "g": "gram grams gm", "mg": "milligram milligrams", "t":
    "ton tons tonne tonnes", "lb": "lbs pounds", "oz": "ounce ounces", "L": "liter liters litre litres l", "mL":
    "milliliter milliliters millilitre millilitres ml", "gal": "gallon gallons", "deg": "degree degrees", "rad":
    "radian radians", "$": "dollar dollars usd USD", "cent": "cents", "euro": "euros EUR", "yuan": "RMB rmb", "rupee":
    "rupees Rs", "J": "joule joules", "W": "watt watts", "N": "newton newtons", "V": "volt volts", "unit": "units",
    "%": "percent pct percentage", "mol": "moles mole", "dm": "decimeter decimeters decimetre decimetres", "nm":
    "nanometer nanometers", "degC": "celsius", "degF": "fahrenheit", "ohm": "ohms Omega", "C": "coulomb coulombs",
    "T": "tesla", "eV": "electronvolt electronvolts", "A": "ampere amperes amp amps", "Pa": "pascal pascals",
    "Hz": "hertz",
}  # fmt: skip
_NAMES: dict[str, str] = {name: name for name in _BASE}
for _unit, _words in _ALIASES.items():
    _NAMES.update(dict.fromkeys(_words.split(), _unit))
_DEGREES = re.compile(r"\bdegrees? (celsius|fahrenheit)\b", re.IGNORECASE)
_POWERS = {"square": 2, "sq": 2, "cubic": 3}
_FACTOR = re.compile(r"(?P<name>[A-Za-z$%]+)(?:\^?\{?(?P<power>-?\d)\}?)?")
_MAGNITUDES = {
    "dozen": 12, "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12,
    "lakh": 10**5, "crore": 10**7,
}  # fmt: skip
_MOST_WORDS = 8
_CLAIMS = frozenset(
    ("is", "are", "was", "were", "isn't", "aren't", "not", "no", "never", "too", "but", "than", "wrong", "false",
     "incorrect", "if", "unless", "except", "minus", "plus", "less", "more", "fewer", "greater", "instead", "nor",
     "neither", "maybe", "perhaps", "almost", "nearly", "about", "cannot", "can't", "could", "might", "may", "would",
     "or", "either")
)  # fmt: skip
"""Words with which a value is qualified, denied or doubted."""
_OPERATIONS = (["squared"], ["cubed"], ["factorial"], ["over"], ["choose"], ["divided"])
"""Words right after a value that make another value of it."""
_PLURAL = re.compile(r"(?<=\w\w\w)(?:es|s)$")


def is_unit_word(word: str) -> bool:
    """Whether a word of two or more letters can only be a unit. Single letters may be variables."""
    return len(word) > 1 and (word in _NAMES or word in _POWERS)


@lru_cache(maxsize=4096)
def parse_unit(text: str) -> tuple[Fraction, Dimension] | None:
    """Return factor and dimension of a unit such as `km/h`, `cm^2` or `square feet`; None for other words."""
    text = _DEGREES.sub(r"\1", text)
    words = (
        text.replace("\\cdot", " ")
        .replace("\\", "")
        .replace("*", " ")
        .replace(" per ", " / ")
        .replace("/", " / ")
        .split()
    )
    if not words or len(words) > 8:
        return None
    factor, dimension = Fraction(1), dict[str, int]()
    sign, pending = 1, 1
    for word in words:
        if word == "/":
            sign = -1
            continue
        if word.lower() in _POWERS:
            pending = _POWERS[word.lower()]
            continue
        match = _FACTOR.fullmatch(word)
        name = None if match is None else _NAMES.get(match["name"]) or _NAMES.get(match["name"].lower())
        if match is None or name is None:
            return None
        scale, base = _BASE[name]
        power = sign * pending * int(match["power"] or 1)
        if name == "ms" and power < 0:  # a space was lost: "5 ms^-1" is a speed
            dimension["L"] = dimension.get("L", 0) + 1
            scale, base = _BASE["s"]
        factor *= scale**power
        for key, exponent in _dimension(base).items():
            dimension[key] = dimension.get(key, 0) + exponent * power
        pending = 1
    return factor, tuple(sorted((k, v) for k, v in dimension.items() if v))


def _dimension(base: str) -> dict[str, int]:
    if base == "":
        return {}
    if base == "L3":
        return {"L": 3}
    if base == "L/T":
        return {"L": 1, "T": -1}
    return {base: 1}


def split_magnitude(words: str) -> tuple[int, str]:
    """Split the name of a number off the words after a value: "million dollars" -> (1000000, "dollars")."""
    factor, rest = 1, words.split(" ")
    while rest and rest[0].lower() in _MAGNITUDES:
        factor *= _MAGNITUDES[rest.pop(0).lower()]
    return factor, " ".join(rest)


def is_claim(text: str) -> bool:
    """Whether words after a value say something about it ("is too small") instead of naming what is counted."""
    words = [word.strip(",.;:()").lower() for word in text.split()]
    return len(words) > _MOST_WORDS or not _CLAIMS.isdisjoint(words) or words[:1] in _OPERATIONS


def same_words(left: str, right: str) -> bool:
    """Whether two unknown units agree: equal words but for case and plural, or one names the other's last word."""
    one, two = _stems(left), _stems(right)
    if not one or not two:
        return one == two
    return one[-1] == two[-1] or set(one) <= set(two) or set(two) <= set(one)


def _stems(text: str) -> list[str]:
    return [_PLURAL.sub("", word) for word in re.findall(r"[a-z0-9]+", text.lower())]
