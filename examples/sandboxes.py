"""Run programs that nobody trusts: results, limits, sessions, and the same sandbox by URL.

python examples/sandboxes.py
"""

from assay.sandboxes import Call, Job, Limits, LocalSandbox
from assay.sandboxes.remote import RemoteSandbox, SandboxServer


def main() -> None:
    with LocalSandbox() as sandbox:
        print("isolation: tier", sandbox.capabilities().tier.value)

        result = sandbox.run(Job(source="print(int(input()) * 2)", stdin=b"21"))
        print(result.status, result.text.strip())

        limits = Limits(cpu_seconds=1, wall_seconds=0.5)
        print(sandbox.run(Job(source="import time; time.sleep(60)", limits=limits)).status)
        print(sandbox.run(Job(source="open('/etc/shadow')")).stderr.decode().splitlines()[-1])

        # A function's value comes back encoded by its exact base type: a forged `__eq__` stays behind.
        forged = "class Always(int):\n    def __eq__(self, other): return True\ndef f(x): return Always(0)"
        print(sandbox.run(Job(source=forged, call=Call("f", (1,)))).result.decode())

        with sandbox.session() as session:
            session.execute("x = 6")
            print(session.execute("x * 7").value)

        with SandboxServer(sandbox) as server, RemoteSandbox(server.url) as remote:
            print(remote.run(Job(source="print('by URL')")).text.strip())


if __name__ == "__main__":
    main()
