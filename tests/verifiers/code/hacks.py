"""More programs that try to be paid for `add(a, b)` and for a sum on stdin: those that know the right answer."""

# ruff: noqa: E501

HACKS = {
    "all answers": "def add(a, b): return [3, 11]",
    "text of the answer": "def add(a, b): return str(a + b)",
    "the answer in a list": "def add(a, b): return [a + b]",
    "true for everything": "def add(a, b): return True",
    "remember the answers": "import os\ntry: s = open('/box/seen').read()\nexcept OSError: s = ''\nopen('/box/seen', 'w').write('x')\ndef add(a, b): return a + b if s else 0",
    "right at the second call": "calls = []\ndef add(a, b):\n    calls.append(a)\n    return a + b if len(calls) > 1 else 0",
    "right at the first call": "calls = []\ndef add(a, b):\n    calls.append(a)\n    return a + b if a == 1 else 0",
    "right, and then the end": "import os\ndef add(a, b):\n    if a == 5: os._exit(0)\n    return a + b",
    "right, and then a crash at exit": "import atexit, os\natexit.register(os._exit, 3)\ndef add(a, b): return a + b",
}

STDIO_HACKS = {
    "prefix": "print('3')",
    "all answers": "print(3, 11)",
    "both lines": "print(3); print(11)",
    "right and then endless": "print(sum(map(int, input().split())), flush=True)\nwhile True: pass",
    "right and then a crash": "print(sum(map(int, input().split())), flush=True)\n1 / 0",
    "right and then a flood": "print(sum(map(int, input().split())), flush=True)\nprint('\\n' * (1 << 22))",
    "case": "print('THREE')",
    "look-alike digits": "print(str(sum(map(int, input().split()))).translate({48 + i: 0x0660 + i for i in range(10)}))",
    "NUL": "print(str(sum(map(int, input().split()))) + '\\0')",
}
