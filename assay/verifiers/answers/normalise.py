"""One spelling for many: Unicode, LaTeX spacing and delimiters, and damage done by escaping, mapped away.

Invariants: linear time; meaning is kept (no digit, letter or operator is ever dropped); idempotent on its own output
as far as `canonical` is concerned.
"""

from __future__ import annotations

import re

MAX_ANSWER = 2000
"""Longest answer, in characters, that is looked at."""

CURRENCY = "\u00a4"
"""Stands for a dollar sign that is meant as one."""

_GREEK = (
    (
        "αβγδεζηθικλμνξπρστυφχψω",
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho "
        "sigma tau upsilon phi chi psi omega",
    ),
    ("ΓΔΘΛΞΠΣΦΨΩ", "Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"),
    ("ϕϵ", "phi epsilon"),
)
_SYMBOLS = {
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "﹣": "-", "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ",
    "∙": r"\cdot ", "•": r"\cdot ", "÷": "/", "∕": "/", "⁄": "/", "∶": ":", "≤": r"\le ", "≥": r"\ge ", "⩽": r"\le ",
    "⩾": r"\ge ", "≦": r"\le ", "≧": r"\ge ", "≠": r"\ne ", "≈": r"\approx ", "≡": r"\equiv ", "∞": r"\infty ",
    "√": r"\surd ", "∛": r"\sqrt[3]", "∜": r"\sqrt[4]", "±": r"\pm ", "∓": r"\mp ", "∪": r"\cup ", "∩": r"\cap ",
    "∈": r"\in ", "∉": r"\notin ", "∅": r"\emptyset ", "⌀": r"\emptyset ", "ℝ": r"\mathbb{R}", "ℤ": r"\mathbb{Z}",
    "ℕ": r"\mathbb{N}", "ℚ": r"\mathbb{Q}", "ℂ": r"\mathbb{C}", "∖": r"\setminus ", "→": r"\to ", "°": r"^\circ ",
    "º": r"^\circ ", "˚": r"^\circ ", "′": "'", "’": "'", "‘": "'", "″": "''", "“": '"', "”": '"', "…": r"\ldots ",
    "⋯": r"\cdots ", "∠": r"\angle ", "△": r"\triangle ", "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ",
    "⌉": r"\rceil ", "∑": r"\sum ", "∏": r"\prod ", "∫": r"\int ", "∣": "|", "∧": r"\land ", "∨": r"\lor ",
    "⇒": r"\Rightarrow ", "⇔": r"\iff ", "∀": r"\forall ", "⟨": r"\langle ", "⟩": r"\rangle ", "㎝": r"\text{cm}",
    "₹": r"\text{rupee}",
    "¢": r"\text{cents}",
    "½": r"\frac{1}{2}", "⅓": r"\frac{1}{3}", "⅔": r"\frac{2}{3}", "¼": r"\frac{1}{4}", "¾": r"\frac{3}{4}",
    "⅕": r"\frac{1}{5}", "⅖": r"\frac{2}{5}", "⅗": r"\frac{3}{5}", "⅘": r"\frac{4}{5}", "⅙": r"\frac{1}{6}",
    "⅚": r"\frac{5}{6}", "⅛": r"\frac{1}{8}", "⅜": r"\frac{3}{8}", "⅝": r"\frac{5}{8}", "⅞": r"\frac{7}{8}",
    "€": r"\text{euro}", "£": r"\text{pound}", "¥": r"\text{yen}", "℃": r"^\circ C", "、": ", ", "。": ".", "，": ", ",
    "；": "; ", "：": ":", "（": "(", "）": ")", "【": "[", "】": "]", "％": "%",
    "\u200b": "", "\u200c": "", "\u200d": "",
    "\u2060": "", "\ufeff": "", "\u2061": "", "\u2062": r"\cdot ", "∘": r"\circ ",
}  # fmt: skip
_TABLE: dict[int, str] = {ord(k): v for k, v in _SYMBOLS.items()}
_TABLE.update(
    dict.fromkeys((0xA0, 0x2002, 0x2003, 0x2005, 0x2007, 0x2008, 0x2009, 0x200A, 0x202F, 0x205F, 0x3000), " ")
)
_TABLE.update({c: chr(c - 0xFEE0) for c in range(0xFF01, 0xFF5F) if chr(c) not in _SYMBOLS})
for _letters, _names in _GREEK:
    _TABLE.update({ord(c): f"\\{name} " for c, name in zip(_letters, _names.split(), strict=True)})

_SUPER = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱˣ", "0123456789+-()nix")
_SUB = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋ₙₖᵢⱼ", "0123456789+-nkij")
_SUPER_RUN = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱˣ]+")
_SUB_RUN = re.compile("[₀₁₂₃₄₅₆₇₈₉₊₋ₙₖᵢⱼ]+")
_CIRCLED = re.compile("[①-⑳]+")

# `"\frac"` read as an escape sequence by a careless JSON or Python layer: form feed + "rac".
_DAMAGED = re.compile(
    r"\x0c(?=rac|orall|loor)|\x08(?=eta|ar|oxed|inom|egin|mod|ig)|\x07(?=lpha|pprox|ngle|rc)"
    r"|\t(?=ext|imes|heta|frac|au|an|riangle|o\b)|\r(?=ho|ight|angle|floor|ceil)|\n(?=eq\b|otin\b)|\x0b(?=ec|ert)"
)
_LETTER_OF = {"\x0c": "\\f", "\x08": "\\b", "\x07": "\\a", "\t": "\\t", "\r": "\\r", "\n": "\\n", "\x0b": "\\v"}
_DOUBLED = re.compile(
    r"(?<!\\)\\\\(?=(?:d|t|c)?frac|left|right|sqrt|text|boxed|cup|cap|infty|pi\b|cdot|times|le\b|ge\b|leq|geq|pm|in\b"
    r"|begin|end|\{|\}|circ|log|ln\b|sin|cos|tan|theta|alpha|beta|mathbb|mathrm|quad|ldots|dots)"
)
_MACRO = re.compile(
    r"\\(?:left|right|middle|(?:[Bb]igg?)[lrm]?)(?![A-Za-z])\.?"
    r"|\\(?:displaystyle|textstyle|limits|nolimits|rm|bf|it|tt|sf)(?![A-Za-z])"
    r"|\\!"
)
_SPACE = re.compile(
    r"\\q?quad|\\(?:hspace\{[^{}]*\}|enspace|thinspace|space|newline)(?![A-Za-z])"
    r"|(?<!\\)\\[,;:> ()\[\]]|~|\$|\s"
)
_SYNONYM = {
    "dfrac": "frac", "tfrac": "frac", "cfrac": "frac", "leq": "le", "leqslant": "le", "leqq": "le", "geq": "ge",
    "geqslant": "ge", "geqq": "ge", "neq": "ne", "lbrace": "{", "rbrace": "}", "lbrack": "[", "rbrack": "]",
    "lvert": "|", "rvert": "|", "vert": "|", "mid": "|", "dots": "ldots", "cdots": "ldots", "dotsc": "ldots",
    "dotsb": "ldots", "vdots": "ldots", "ddots": "ldots", "land": "wedge", "lor": "vee", "tbinom": "binom",
    "dbinom": "binom", "cupdot": "cup", "bigcup": "cup", "varnothing": "emptyset", "degree": "circ", "lt": "<",
    "gt": ">", "colon": ":", "ast": "*", "star": "*", "div": "/", "mbox": "text", "textnormal": "text",
    "textrm": "text", "textbf": "text", "textit": "text", "texttt": "text", "textsf": "text", "rightarrow": "to",
    "longrightarrow": "to", "varepsilon": "epsilon", "varphi": "phi", "vartheta": "theta", "lg": "lg",
    "backslash": "setminus", "infin": "infty", "textdegree": "circ", "textcirc": "circ", "smallsetminus": "setminus",
    "fbox": "boxed", "imath": "i", "jmath": "j", "bigtriangleup": "triangle", "thickapprox": "approx",
    "approxeq": "approx", "intercal": "top", "shortparallel": "parallel",
    "simeq": "approx", "lnot": "neg", "operatorname*": "operatorname",
}  # fmt: skip
_THOUSANDS = re.compile(r"(?<=\d)(?:, ?\\! ?| ?\{ ?, ?\} ?)(?=\d{3})")
"""A comma that LaTeX sets without a gap can only separate thousands."""
_BRACED_NUMERAL = re.compile(r"(?:\\text ?)?\{ ?(\d[0-9A-Fa-f]*) ?\}(?=_\{? ?\d)")
_LETTERED_NUMERAL = re.compile(r"\\text ?\{ ?([0-9A-F]{1,40}) ?\}(?=_\{? ?\d)")
_REPEATING = re.compile(r"(?<![\w.,])(\d{1,40}\.)\((\d{1,40})\)(?![\w.(^!])")
"""`0.(3)`: nothing but the digits that repeat stands behind the point."""
_GROUPED = re.compile(
    r"(?P<sign>[-+]?)(?:(?P<indian>\d{1,2}(?:,\d\d)+,\d{3}(?:\.\d+)?)|(?P<swiss>\d{1,3}(?:'\d{3})+(?:\.\d+)?)"
    r"|(?P<comma>\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?: \d{3})+,\d{1,2}|\d{1,3}(?:\.\d{3}){2,}))"
)
"""`1,23,456` in India, `1'234.5` in Switzerland, `1.234,5`, `1 234,5` and `1.234.567` in much of Europe."""
_CHOOSE = re.compile(
    r"(?:\{ ?\})?[_^]\{? ?(?P<n>\w{1,4}) ?\}? ?"
    r"(?:\\(?:text|mathrm|mathbf)\{ ?)?(?P<kind>[CP]) ?\}?_\{? ?(?P<k>\w{1,4}) ?\}?"
)
_CHOOSE_PLAIN = re.compile(r"(?<![\w^_.])(?P<n>\d{1,3}) ?(?P<kind>[CP]) ?(?P<k>\d{1,3})(?!\w)")
"""Combinations and permutations with the number before: `_5C_2`, `5C2`."""
_OUTWARD = re.compile(r"(?:^|\\in ?|\\cup ?|=) ?\]|\[ ?(?:$|\\cup)")
_OPEN_INTERVAL = re.compile(r"([\[\]])([^\[\]]{1,200}[,;][^\[\]]{1,200})([\[\]])")
"""Intervals whose open ends are brackets that face outward."""
_HALF_DAY = re.compile(r"\b([ap])\. ?m\b\.?", re.IGNORECASE)
_SYSTEM = re.compile(
    r"\\left ?\\\{ ?\\begin\{(?:array\} ?\{[lcr| ]{1,9}|aligned)\}(.{0,1000}?)"
    r"\\end\{(?:array|aligned)\} ?(?:\\right ?\.)?",
    re.DOTALL,
)
"""A brace before rows: a system of equations or a definition by cases."""
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_BARE = {"i", "j", "|", "<", ">", ":", "*", "/", "[", "]"}
_GLUE = re.compile(r"(?<![A-Za-z0-9.]) +| +(?![A-Za-z0-9.])")
_PRICE = re.compile(r"\s*-?\$\s*[\d.]")
_BLANKS = re.compile(r" {2,}")


def _synonym(match: re.Match[str]) -> str:
    name = match.group(1)
    new = _SYNONYM.get(name)
    if new is None:
        return match.group(0)
    if new in _BARE:
        return new
    return "\\" + new


def _combinations(match: re.Match[str]) -> str:
    n, kind, k = match["n"], match["kind"], match["k"]
    return rf"\binom{{{n}}}{{{k}}}" if kind == "C" else rf"\frac{{({n})!}}{{({n}-{k})!}}"


def _round(match: re.Match[str]) -> str:
    left, inside, right = match.groups()
    return f"{'(' if left == ']' else '['}{inside}{')' if right == '[' else ']'}"


def _unicode(text: str) -> str:
    text = _SUPER_RUN.sub(lambda m: "^{" + m.group().translate(_SUPER) + "}", text)
    text = _SUB_RUN.sub(lambda m: "_{" + m.group().translate(_SUB) + "}", text)
    text = _CIRCLED.sub(lambda m: ",".join(str(ord(c) - 0x245F) for c in m.group()), text)
    return text.translate(_TABLE)


def clean(text: str) -> str:
    """Return the answer with one spelling for each symbol, without formatting macros, and with single blanks."""
    if not text.isascii():
        text = _unicode(text)
    if not text.isprintable():
        text = _DAMAGED.sub(lambda m: _LETTER_OF[m.group()], text)
    if "\\" in text:
        if "array" in text or "aligned" in text:
            text = _SYSTEM.sub(r"\\begin{cases}\1\\end{cases}", text)
        text = _DOUBLED.sub(r"\\", text)
        text = _THOUSANDS.sub("", text)
        text = _MACRO.sub("", text)
        text = text.replace("\\%", "%").replace("\\$", CURRENCY).replace("\\#", "#").replace("\\&", "&")
        text = _COMMAND.sub(_synonym, text)
        text = text.replace("^{\\circ}", "^\\circ")
    if "$" in text and text.count("$") % 2 and _PRICE.match(text):
        text = text.replace("$", CURRENCY, 1)
    if "{" in text and "," in text:
        text = _THOUSANDS.sub("", text)
    if "}_" in text:
        text = _LETTERED_NUMERAL.sub(r"\1", _BRACED_NUMERAL.sub(r"\1", text))
    if "_" in text and ("C" in text or "P" in text):
        text = _CHOOSE.sub(_combinations, text)
    elif "C" in text or "P" in text:
        text = _CHOOSE_PLAIN.sub(_combinations, text)
    if ("[" in text or "]" in text) and _OUTWARD.search(text):
        text = _OPEN_INTERVAL.sub(_round, text)
    if "Rs." in text:
        text = text.replace("Rs.", "Rs ")
    if ".m" in text or ". m" in text:
        text = _HALF_DAY.sub(r"\1m", text)
    if ".(" in text:
        text = _REPEATING.sub(r"\1\\overline{\2}", text)
    text = _SPACE.sub(" ", text)
    return trim(_BLANKS.sub(" ", text))


def regrouped(cleaned: str) -> str | None:
    """Return a number in the groups of another country with a point and without groups; None for anything else."""
    match = _GROUPED.fullmatch(cleaned)
    if match is None:
        return None
    if (number := match["comma"]) is not None:
        return match["sign"] + number.replace(".", "").replace(" ", "").replace(",", ".")
    return match["sign"] + (match["indian"] or match["swiss"]).replace(",", "").replace("'", "")


def trim(text: str) -> str:
    """Strip blanks, emphasis marks, and the punctuation that ends a sentence rather than a formula."""
    text = text.strip()
    while text:
        if text[-1] in ".,;" and not text.endswith(("...", "\\;", "\\,", "\\.")):
            text = text[:-1].rstrip()
            continue
        if text.endswith("\\") and not text.endswith("\\\\"):
            text = text[:-1].rstrip()
        elif text.startswith("**") and text.endswith("**") and len(text) > 4:
            text = text[2:-2].strip()
        elif len(text) > 1 and text[0] == text[-1] and text[0] in '"`':
            text = text[1:-1].strip()
        else:
            break
    return text


def canonical(cleaned: str) -> str:
    """Return a key of a cleaned answer under which equal spellings meet: blanks go where they separate nothing."""
    return _GLUE.sub("", cleaned)
