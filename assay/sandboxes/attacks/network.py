"""Ways to talk: out, to services of this machine, and from job to job."""

from __future__ import annotations

from assay.sandboxes.attacks.base import Attack, refused, survives

NETWORK: tuple[Attack, ...] = (
    refused("TCP", "import socket; socket.create_connection(('1.1.1.1', 53), 1)"),
    refused("UDP", "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('1.1.1.1', 53))"),
    refused("IPv6", "import socket; socket.socket(socket.AF_INET6)"),
    refused("DNS", "import socket; socket.getaddrinfo('example.com', 80)"),
    refused("localhost", "import socket; socket.create_connection(('127.0.0.1', 22), 1)"),
    refused("cloud metadata", "import urllib.request; urllib.request.urlopen('http://169.254.169.254/', timeout=1)"),
    refused("raw socket", "import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)"),
    refused("packet socket", "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)"),
    refused("netlink", "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)"),
    refused("vsock", "import socket; socket.socket(40, socket.SOCK_STREAM).connect((2, 1234))"),
    refused("kernel crypto", "import socket; socket.socket(38, 5).bind(('hash', 'sha1'))"),
    refused("socket pairs of other families", "import socket; socket.socketpair(socket.AF_INET)"),
    refused("system bus", "import socket; socket.socket(socket.AF_UNIX).connect('/run/dbus/system_bus_socket')"),
    refused("docker socket", "import socket; socket.socket(socket.AF_UNIX).connect('/var/run/docker.sock')"),
    refused(
        "abstract socket of another", "import socket; socket.socket(socket.AF_UNIX).connect('\\0/tmp/.X11-unix/X0')"
    ),
    refused("System V shared memory", "import ctypes; l = ctypes.CDLL(None); assert l.shmget(7, 4096, 0o1666) >= 0"),
    refused("System V queue", "import ctypes; l = ctypes.CDLL(None); assert l.msgget(7, 0o1666) >= 0"),
    refused("System V semaphore", "import ctypes; l = ctypes.CDLL(None); assert l.semget(7, 1, 0o1666) >= 0"),
    refused(
        "POSIX queue", "import ctypes; l = ctypes.CDLL('librt.so.1'); assert l.mq_open(b'/q', 0o102, 0o600, None) >= 0"
    ),
    survives(
        "pip install",
        "import subprocess, sys\n"
        "done = subprocess.run([sys.executable, '-m', 'pip', 'download', 'six', '--retries', '0'], capture_output=True)\n"
        "if done.returncode == 0: print('BREACH')",
    ),
)
