"""Weaknesses in the handling of files: paths that lead out of their directory, predictable temporary files."""

from __future__ import annotations

from assay.envs.code.weaknesses.base import Draw, Family, Weakness, attack, call, fill

_READ = '''
import os


def $f($base, $name):
    """Return the text of the file called $name in the directory $base."""
    path = $join
    with open(path) as stream:
        return stream.read()
'''
_READ_REPAIRED = '''
import os


def $f($base, $name):
    """Return the text of the file called $name in the directory $base."""
    root = os.path.realpath($base)
    path = os.path.realpath(os.path.join(root, $name))
    if os.path.commonpath([root, path]) != root:
        raise ValueError("the path leads out of the directory")
    with open(path) as stream:
        return stream.read()
'''
_READ_HARNESS = """
def _prepare():
    import os
    for path, text in {"$public/a.txt": "$one", "$public/sub/b.txt": "$two", "$public-private/c.txt": "$marker",
                       "key.txt": "$marker"}.items():
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "w") as stream:
            stream.write(text)
_prepare()
def absolute_path():
    import os
    return $f("$public", os.path.abspath("key.txt"))
"""


def path_traversal(draw: Draw) -> Weakness:
    """Read a file whose name comes from outside."""
    public, one, two = draw.words(3)
    f, base, name = (
        draw.one(["read_page", "load_file", "get_document"]),
        draw.one(["base", "folder", "root_dir"]),
        "name",
    )
    marker = draw.marker()
    join = draw.one([f"os.path.join({base}, {name})", f'{base} + "/" + {name}', f'f"{{{base}}}/{{{name}}}"'])
    names = {"f": f, "base": base, "name": name}
    climb = [f"../{public}-private/c.txt", "../key.txt", "sub/../../key.txt", f"../{public}/../key.txt"]
    return Weakness(
        "path_traversal", "CWE-22", "path traversal", f,
        fill(_READ, join=join, **names), fill(_READ_REPAIRED, **names),
        (call(public, "a.txt", expected=one), call(public, "sub/b.txt", expected=two),
         call(public, "sub/../a.txt", expected=one)),
        (*(attack(public, path, leaks=marker) for path in climb), attack(function="absolute_path", leaks=marker)),
        fill(_READ_HARNESS, f=f, public=public, one=one, two=two, marker=marker),
    )  # fmt: skip


_TEMPORARY = '''
import os
import tempfile


def $f($text):
    """Write the text to a temporary file and return its path."""
    path = $path
    with open(path, "w") as stream:
        stream.write($text)
    return path
'''
_TEMPORARY_REPAIRED = '''
import os
import tempfile


def $f($text):
    """Write the text to a temporary file and return its path."""
    descriptor, path = tempfile.mkstemp()
    with os.fdopen(descriptor, "w") as stream:
        stream.write($text)
    return path
'''
_TEMPORARY_HARNESS = """
def written(text):
    with open($f(text)) as stream:
        return stream.read()
def overwritten():
    import os, tempfile
    with open("victim", "w") as stream:
        stream.write("untouched")
    place = os.path.join(tempfile.gettempdir(), "$file")
    if not os.path.lexists(place):
        os.symlink(os.path.abspath("victim"), place)
    $f("$marker")
    with open("victim") as stream:
        return stream.read()
"""


def predictable_temporary_file(draw: Draw) -> Weakness:
    """Write to a path that anybody can guess, and occupy first."""
    file = f"{draw.word()}-{draw.number()}.txt"
    f, text, marker = (
        draw.one(["save_draft", "write_report", "dump_text"]),
        draw.one(["text", "content"]),
        draw.marker(),
    )
    path = draw.one([f'os.path.join(tempfile.gettempdir(), "{file}")', f'tempfile.gettempdir() + "/{file}"'])
    one, two = draw.words(2)
    return Weakness(
        "predictable_temporary_file", "CWE-377", "insecure temporary file", f,
        fill(_TEMPORARY, f=f, text=text, path=path), fill(_TEMPORARY_REPAIRED, f=f, text=text),
        (call(one, expected=one, function="written"), call(two + "\n", expected=two + "\n", function="written")),
        (attack(function="overwritten", leaks=marker),),
        fill(_TEMPORARY_HARNESS, f=f, file=file, marker=marker),
    )  # fmt: skip


FAMILIES: tuple[Family, ...] = (path_traversal, predictable_temporary_file)
