"""A container image without a registry: this interpreter, its libraries and busybox, as a tar to import."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

_LEFT_OUT = re.compile(r"/(test|tests|site-packages|idlelib|tkinter|lib2to3|ensurepip|turtledemo|config-[^/]*)$")
_FOLDERS = "bin lib lib/x86_64-linux-gnu lib64 tmp usr usr/lib usr/local usr/local/bin usr/local/lib"
_APPLETS = "sh cat echo env false head id kill ls mkdir nohup rm setsid sleep su true yes"


def write_image(target: Path) -> None:
    """Write the root file system of an image. Raises `FileNotFoundError` without busybox."""
    busybox = shutil.which("busybox")
    if busybox is None:
        raise FileNotFoundError("busybox is not installed (busybox-static)")
    base, version = Path(sys.base_prefix), f"python{sys.version_info.major}.{sys.version_info.minor}"
    library = base / "lib" / version
    with tarfile.open(target, "w") as tar:
        for folder in _FOLDERS.split():
            _add_folder(tar, folder)
        tar.add(busybox, "bin/busybox")
        for applet in _APPLETS.split():
            _add_link(tar, f"bin/{applet}", "busybox")
        interpreter = (base / "bin" / version).resolve()
        tar.add(interpreter, f"usr/local/bin/{version}")
        _add_link(tar, "usr/local/bin/python3", version)
        tar.add(library, f"usr/local/lib/{version}", filter=lambda m: None if _LEFT_OUT.search(m.name) else m)
        for path in sorted(_libraries([interpreter, *library.glob("lib-dynload/*.so")])):
            tar.add(Path(path).resolve(), path if path.startswith("/lib") else f"usr/lib/{Path(path).name}")


def _libraries(binaries: list[Path]) -> set[str]:
    found = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True, check=False).stdout
    return set(re.findall(r"(/\S+\.so\S*) \(0x", found)) | set(re.findall(r"^\s+(/lib64/\S+) ", found, re.MULTILINE))


def _add_folder(tar: tarfile.TarFile, name: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
    tar.addfile(entry)


def _add_link(tar: tarfile.TarFile, name: str, to: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, to
    tar.addfile(entry, io.BytesIO())
