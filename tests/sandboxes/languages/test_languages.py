"""Every language runs, fails and is limited like every other; a toolchain that is missing is told, never blamed."""

import os

import pytest

from assay.core.errors import UnknownNameError
from assay.sandboxes import Job, JobResult, Limits, LocalSandbox
from assay.sandboxes.languages import LANGUAGES, MissingToolchain, find_language, toolchains
from assay.sandboxes.languages.catalogue import _java
from assay.verifiers.base import verify_text
from assay.verifiers.code.verifier import CodeVerifier

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs Linux")

SUM = {
    "python": "a, b = map(int, input().split())\nprint(a + b)",
    "c": '#include <stdio.h>\nint main(void) { int a, b; scanf("%d %d", &a, &b); printf("%d\\n", a + b); }',
    "cpp": "#include <iostream>\nint main() { int a, b; std::cin >> a >> b; std::cout << a + b << std::endl; }",
    "rust": "fn main() { let mut s = String::new(); std::io::stdin().read_line(&mut s).unwrap(); "
    'println!("{}", s.split_whitespace().map(|x| x.parse::<i32>().unwrap()).sum::<i32>()); }',
    "java": "import java.util.*;\nclass Node { }\npublic class Solution { static class Pair { int x; }\n"
    "  public static void main(String[] a) { Scanner s = new Scanner(System.in); "
    "System.out.println(s.nextInt() + s.nextInt()); } }",
    "javascript": 'const [a, b] = require("fs").readFileSync(0, "utf8").split(" ").map(Number); console.log(a + b)',
    "verilog": "module m; integer a, b, n; initial begin "
    'n = $fscanf(32\'h8000_0000, "%d %d", a, b); $display("%0d", a + b); end endmodule',
    "shell": "read a b; echo $((a + b))",
}
BROKEN = {
    "c": "int main(void) { return x; }",
    "cpp": "int main() { return x; }",
    "rust": "fn main() { x }",
    "java": "class Main { int f() { return x; } }",
    "verilog": "module m; assign = 1; endmodule",
}
FAILING = {
    "python": "raise SystemExit(3)",
    "c": "int main(void) { return 3; }",
    "cpp": "int main() { return 3; }",
    "rust": "fn main() { std::process::exit(3) }",
    "java": "class Main { public static void main(String[] a) { System.exit(3); } }",
    "javascript": "process.exit(3)",
    "verilog": 'module m; initial $fatal(1, "x"); endmodule',
    "shell": "exit 3",
}
ENDLESS = {
    "python": "while True: pass",
    "c": "int main(void) { for (volatile int i = 0;; i++); }",
    "cpp": "int main() { for (volatile int i = 0;; i++); }",
    "rust": "fn main() { let mut i = 0u64; loop { i = std::hint::black_box(i + 1); } }",
    "java": "class Main { public static void main(String[] a) { long i = 0; while (true) i++; } }",
    "javascript": "for (;;);",
    "verilog": "module m; reg c = 0; always #1 c = ~c; endmodule",
    "shell": "while :; do :; done",
}
HUNGRY = {
    "python": "x = bytearray(10**9)",
    "c": "#include <stdlib.h>\n#include <string.h>\n"
    "int main(void) { for (int i = 0; i < 1000; i++) { char *p = malloc(1 << 20); memset(p, i, 1 << 20); } return 0; }",
    "cpp": "#include <vector>\nint main() { std::vector<char> v(1u << 30, 1); return v[5] - 1; }",
    "rust": 'fn main() { let v = vec![1u8; 1 << 30]; println!("{}", v[std::hint::black_box(5)]); }',
    "java": "class Main { public static void main(String[] a) { "
    "byte[][] x = new byte[1000][]; for (int i = 0; i < 1000; i++) x[i] = new byte[1 << 20]; } }",
    "javascript": "const x = []; for (let i = 0; i < 1e9; i++) x.push({i});",
}


@pytest.fixture(scope="module")
def sandbox():
    with LocalSandbox() as shared:
        yield shared


def build(sandbox, language, source):
    tools = toolchains(sandbox)
    if reason := tools.missing(language):
        pytest.skip(reason)
    return tools.build(language, source)


def run(sandbox, language, source, stdin=b"", **limits):
    built = build(sandbox, language, source)
    assert built.ok, built.message
    return sandbox.run(built.job(stdin=stdin, limits=Limits(**limits)))


@pytest.mark.parametrize("language", SUM)
def test_runs(sandbox, language):
    result = run(sandbox, language, SUM[language], b"17 25\n")
    assert (result.status, result.stdout.strip()) == ("ok", b"42"), result


@pytest.mark.parametrize("language", BROKEN)
def test_what_does_not_compile_is_no_program(sandbox, language):
    built = build(sandbox, language, BROKEN[language])
    assert not built.ok
    assert built.message
    assert built.result.status == "nonzero"


@pytest.mark.parametrize("language", FAILING)
def test_exit_codes(sandbox, language):
    result = run(sandbox, language, FAILING[language])
    assert (result.status, result.exit_code) == ("nonzero", 1 if language == "verilog" else 3)


@pytest.mark.parametrize("language", ENDLESS)
def test_endless_programs_end(sandbox, language):
    result = run(sandbox, language, ENDLESS[language], cpu_seconds=1)
    assert result.status in ("cpu_limit", "wall_limit"), result


@pytest.mark.parametrize("language", HUNGRY)
def test_memory_is_limited(sandbox, language):
    result = run(sandbox, language, HUNGRY[language], cpu_seconds=10, memory_bytes=128 * 2**20)
    assert not result.ok
    assert not result.fault


def test_names_and_aliases():
    assert find_language("C++") is LANGUAGES["cpp"]
    with pytest.raises(UnknownNameError, match="rust"):
        find_language("rusty")


@pytest.mark.parametrize(
    ("source", "file", "main"),
    [
        ("class Main { static class Node {} public static void main(String[] a) {} }", "Main.java", "Main"),
        ("class A {} class B { public static void main(String[] a) {} }", "Main.java", "B"),
        ("public class A { static class B { public static void main(String[] a) {} } }", "A.java", "A$B"),
        ('public final class A { String s = "}{ class X {"; /* } */ static void main(String[] a) {} }', "A.java", "A"),
    ],
)
def test_the_class_that_java_starts(source, file, main):
    steps = _java(source)
    assert (steps.source, steps.run[-1]) == (file, main)


def test_a_build_is_made_once_and_keyed_by_all_that_matters(sandbox):
    if toolchains(sandbox).missing("c"):
        pytest.skip("no gcc")
    first = build(sandbox, "c", SUM["c"])
    assert build(sandbox, "c", SUM["c"]) is first
    assert build(sandbox, "c", SUM["c"] + "\n") is not first
    assert "main.c" not in first.job().files  # a run sees the artefact, not the source


def test_a_compiler_is_confined(sandbox):
    built = build(sandbox, "c", '#include "/etc/shadow"\nint main(void) { return 0; }')
    assert not built.ok
    assert "/etc/shadow" in built.message
    assert "root:" not in built.message


class Bare:
    """A sandbox without a single toolchain."""

    def run(self, job: Job) -> JobResult:
        return JobResult("ok", exit_code=0)


def test_a_missing_toolchain_is_an_absent_capability():
    bare = Bare()
    tools = toolchains(bare)
    assert tools.available() == ("python",)
    with pytest.raises(MissingToolchain, match=r"rust needs rustc and cc.*Debian's package: rustc"):
        tools.build("rust", "fn main() {}")
    task = {"tests": [{"input": "", "output": "1"}], "language": "rust"}
    verdict = verify_text(CodeVerifier(sandbox=bare), task, "```rust\nfn main() {}\n```")
    assert verdict.score is None


def test_capabilities_name_the_languages(sandbox):
    assert set(toolchains(sandbox).available()) == set(sandbox.capabilities().languages)


@pytest.mark.parametrize("language", ["cpp", "javascript"])
def test_programs_in_other_languages_are_graded(sandbox, language):
    build(sandbox, language, SUM[language])
    tests = [{"input": "1 2", "output": "3"}, {"input": "-4 4", "output": "0"}]
    verifier = CodeVerifier(sandbox=sandbox, credit="fraction")
    answer = f"```{language}\n{SUM[language]}\n```"
    assert verify_text(verifier, {"tests": tests, "language": language}, answer).score == 1.0
    wrong = {"tests": [tests[0], {"input": "1 1", "output": "3"}], "language": language}
    assert verify_text(verifier, wrong, answer).score == 0.5
    verdict = verify_text(verifier, {"tests": tests, "language": language}, "```\nint main( {\n```")
    assert (verdict.score, verdict.details["statuses"][0]) == (0.0, "compile_error" if language == "cpp" else "nonzero")


def test_calls_need_python():
    verdict = verify_text(
        CodeVerifier(), {"tests": [{"args": [1], "expected": 1}], "entry_point": "f", "language": "cpp"}, "x"
    )
    assert verdict.score is None
    assert "input and output only" in verdict.reason


@pytest.mark.slow
def test_the_precompiled_header_is_used(sandbox):
    source = "#include <bits/stdc++.h>\nint main() { std::vector<int> v{3, 1, 2}; std::sort(v.begin(), v.end()); }"
    built = build(sandbox, "cpp", source)
    assert built.ok, built.message
    flags = toolchains(sandbox)._include["cpp"]
    if not flags:
        pytest.skip("no directory for precompiled headers that this sandbox shows")
    job = Job(argv=("g++", "-H", *built.steps.compile[1:], *flags), files={"main.cpp": source.encode()})
    assert b"! " + flags[1].encode() in sandbox.run(job).stderr
