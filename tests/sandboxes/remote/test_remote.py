"""Programs by URL: over real HTTP, with our client and with what other trainers send."""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

from assay import verify_text
from assay.core.errors import ConfigError
from assay.sandboxes import Call, Job, Limits, LocalSandbox, Sandbox, Tier
from assay.sandboxes.remote import RemoteSandbox, SandboxServer
from assay.verifiers.code.verifier import CodeVerifier

GRANTED = Limits(cpu_seconds=60, wall_seconds=60, memory_bytes=4 * 2**30, open_files=512, stack_bytes=2**30)


@pytest.fixture(scope="module")
def local():
    with LocalSandbox(2, min_tier=Tier.FILTERED) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def server(local):
    with SandboxServer(local, most=GRANTED) as server:
        yield server


@pytest.fixture(scope="module")
def remote(server):
    with RemoteSandbox(server.url + "/run_code", min_tier=Tier.FILTERED) as sandbox:
        yield sandbox


def post(server, **body):
    return httpx.post(f"{server.url}/run_code", json=body, timeout=60)


def test_it_is_a_sandbox_and_knows_the_server_s_isolation(remote, local):
    assert isinstance(remote, Sandbox)
    assert remote.capabilities().tier == local.capabilities().tier
    assert remote.capabilities().languages == local.capabilities().languages
    assert remote.run(Job(source="pass")).tier == local.capabilities().tier


@pytest.mark.parametrize(
    "job",
    [
        Job(source="print(input()); import sys; sys.stderr.write('e')", stdin=b"ok\n"),
        Job(source="raise SystemExit(3)"),
        Job(source="import os; os.kill(os.getpid(), 11)"),
        Job(source="while True: pass", limits=Limits(cpu_seconds=0.2, wall_seconds=30)),
        Job(source="print('x' * 2000)", limits=Limits(output_bytes=1000)),
        Job(source="open('b', 'wb').write(open('a', 'rb').read())", files={"a": b"\xff\0"}, fetch=("b", "c")),
        Job(source="import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())", stdin=b"\xff\xfe\n"),
        Job(argv=("sh", "-c", "echo $X"), env={"X": "1"}),
        Job(source="def f(x, *, y): return (x, y, b'z')", call=Call("f", (2**70,), {"y": {1: 1.5}})),
        Job(source="def f(x): return x", call=Call("f", (1,), more=(((2,), {}),))),
    ],
    ids=lambda job: (job.source or str(job.argv))[:20],
)
def test_results_are_those_of_the_sandbox_behind(remote, local, job):
    here, there = local.run(job), remote.run(job)
    for name in ("status", "exit_code", "signal", "stdout", "stderr", "result", "files", "truncated", "tier"):
        assert getattr(here, name) == getattr(there, name), name
    assert there.backend == "remote"


def test_what_other_trainers_send_and_read(server):
    answer = post(server, code="print(int(input()) * 2)", language="python", stdin="21", run_timeout=5).json()
    assert (answer["status"], answer["compile_result"]) == ("Success", None)
    ran = answer["run_result"]
    assert (ran["status"], ran["return_code"], ran["stdout"]) == ("Finished", 0, "42\n")
    answer = post(server, code="1 / 0", compile_timeout=5, run_timeout=5, memory_limit_MB=256).json()
    assert (answer["status"], answer["run_result"]["return_code"]) == ("Failed", 1)
    assert "ZeroDivisionError" in answer["run_result"]["stderr"]
    answer = post(server, code="while True: pass", run_timeout=0.5).json()
    assert (answer["status"], answer["run_result"]["status"]) == ("Failed", "TimeLimitExceeded")
    answer = post(server, code="open('o', 'w').write('hi')", files={"i": None}, fetch_files=["o"]).json()
    assert answer["files"] == {"o": "aGk="}


def test_compiled_languages_report_their_compile_step(server, local):
    if "cpp" not in local.capabilities().languages:
        pytest.skip("no C++ compiler here")
    answer = post(server, code='#include <cstdio>\nint main() { puts("ok"); }', language="cpp").json()
    assert answer["compile_result"]["return_code"] == 0
    assert (answer["status"], answer["run_result"]["stdout"]) == ("Success", "ok\n")
    answer = post(server, code="int main() { return x; }", language="cpp").json()
    assert (answer["status"], answer["run_result"]) == ("Failed", None)
    assert "not declared" in answer["compile_result"]["stderr"]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"code": "pass", "language": "cobol"}, 400, "cobol"),
        ({"code": "pass", "files": {"../x": ""}}, 400, "relative path"),
        ({"code": "pass", "files": {"x": "%"}}, 400, "base64"),
        ({"code": "pass", "run_timeout": 1e6}, 400, "beyond what this server grants"),
        ({"code": "pass", "memory_limit_MB": 10**6}, 400, "memory_bytes"),
        ({"code": "pass", "limits": {"no_such": 1}}, 400, "limits"),
        ({"code": "pass", "call": "{}"}, 400, "call"),
        ({"code": "pass", "run_timeout": -1}, 422, "run_timeout"),
        ({"language": "python"}, 422, "code"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(server, body, status, words):
    answer = post(server, **body)
    assert answer.status_code == status
    assert words in answer.json()["detail"]


def test_other_paths_and_bodies_are_refused(server):
    assert httpx.post(f"{server.url}/run_jupyter", json={}).status_code == 404
    assert httpx.get(f"{server.url}/").status_code == 404
    assert httpx.post(f"{server.url}/run_code", content=b"no json").status_code == 422
    host, port = server._http.server_address[:2]
    with socket.create_connection((host, port)) as raw:
        raw.sendall(b"POST /run_code HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n")
        assert b" 413 " in raw.recv(100)


def test_a_token_is_asked_for(local, monkeypatch):
    monkeypatch.delenv("ASSAY_SANDBOX_TOKEN", raising=False)
    with SandboxServer(local, token="secret") as server:
        for token in ("", "wrong"):
            with RemoteSandbox(server.url, token=token) as sandbox, pytest.raises(ConfigError, match="token"):
                sandbox.run(Job(source="pass"))
        with RemoteSandbox(server.url, token="secret", min_tier=0) as sandbox:
            assert sandbox.run(Job(source="pass")).ok
    with pytest.raises(ConfigError, match="set a token"):
        SandboxServer(local, host="0.0.0.0")


def test_what_the_client_cannot_have_is_refused(server, remote):
    with RemoteSandbox(server.url, min_tier=Tier.KERNEL) as sandbox, pytest.raises(ConfigError, match="min_tier is 5"):
        sandbox.check()
    with pytest.raises(ConfigError, match="no sessions"):
        remote.session()
    with pytest.raises(ConfigError, match="beyond what this server grants"):
        remote.run(Job(source="pass", limits=Limits(cpu_seconds=1000)))
    with pytest.raises(ConfigError, match="http://"):
        RemoteSandbox("localhost:80")
    with RemoteSandbox("http://127.0.0.1:9", min_tier=0, slack_seconds=0.3) as sandbox:
        result = sandbox.run(Job(source="pass"))
        assert (result.status, "not reached" in result.reason) == ("internal_error", True)


def test_verifiers_grade_by_url(remote):
    verifier = CodeVerifier(sandbox=remote)
    by_stdin = {"tests": [{"input": "1", "output": "2"}, {"input": "5", "output": "10"}]}
    assert verify_text(verifier, by_stdin, "```python\nprint(int(input()) * 2)\n```").score == 1
    assert verify_text(verifier, by_stdin, "```python\nprint(2)\n```").score == 0
    with pytest.raises(ConfigError, match="talk to a running program"):
        remote.open(Job(), "serve")


class Foreign(BaseHTTPRequestHandler):
    """A server of somebody else: busy at first, then the plain format; it knows no /capabilities."""

    busy = 2

    def do_GET(self):
        self.send_error(404)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if type(self).busy:
            type(self).busy -= 1
            self.send_error(429)
            return
        ran = {"status": "Finished", "execution_time": 0.1, "return_code": 0, "stdout": "42\n", "stderr": ""}
        body = json.dumps({"status": "Success", "message": "", "compile_result": None, "run_result": ran, "files": {}})
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args):
        pass


def test_foreign_servers_serve_programs_at_tier_0():
    http = HTTPServer(("127.0.0.1", 0), Foreign)
    thread = threading.Thread(target=http.serve_forever, args=(0.05,))
    thread.start()
    try:
        url = f"http://127.0.0.1:{http.server_address[1]}"
        with RemoteSandbox(url) as sandbox, pytest.raises(ConfigError, match="does not say how it isolates"):
            sandbox.run(Job(source="print(42)"))
        with RemoteSandbox(url, min_tier=0) as sandbox:
            result = sandbox.run(Job(source="print(42)"))
            assert (result.status, result.text, result.tier) == ("ok", "42\n", Tier.NONE)
            with pytest.raises(ConfigError, match="functions"):
                sandbox.run(Job(source="", call=Call("f")))
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
