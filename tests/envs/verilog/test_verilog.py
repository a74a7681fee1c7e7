"""The design environment: generated designs mean what they say, published layouts are read, turns are answered."""

import os
import re
from pathlib import Path

import numpy as np
import pytest

import assay.envs  # noqa: F401 - registers the environments
from assay.core.errors import ConfigError, DataError, UnknownNameError
from assay.core.message import text_of
from assay.core.registry import make
from assay.core.seeding import derive_seed
from assay.core.verdict import Verdict
from assay.envs.check import check_environment
from assay.envs.verilog.designs import FAMILIES, TOP, DesignGenerator, golden
from assay.envs.verilog.verilog import VerilogEnv
from assay.verifiers.verilog.compare import compare, constant_matches
from assay.verifiers.verilog.flow import FlowRequest, run_flow, verilog_sandbox
from assay.verifiers.verilog.stimulus import random_stimulus
from assay.verifiers.verilog.target import Target
from tests.verifiers.verilog.tools import COUNTER, RIGHT, answer, needs_tools


@pytest.mark.slow
@needs_tools
def test_conformance():
    report = check_environment("assay/Verilog-v0", episodes=2)
    assert report.ok, str(report)


@needs_tools
@pytest.mark.parametrize("family", FAMILIES)
def test_the_verilog_of_a_family_means_what_its_model_says(family):
    """Source and netlist of the reference answer every row as the golden model in Python does."""
    for level in (1, 2, 3):
        rng = np.random.default_rng(derive_seed("family test", family, level))
        design = FAMILIES[family](rng, level)
        stimulus = random_stimulus(design.interface, rng, 96, design.roles)
        request = FlowRequest(TOP, design.interface, ("netlist", "simulate"), stimulus)
        report = run_flow(verilog_sandbox(), design.reference, request, Target(TOP).limits)
        expected = golden(design, stimulus)
        assert report.netlist is not None
        agreement = compare(report.samples, expected, report.netlist)
        assert agreement.complete, (design.reference, agreement)
        assert constant_matches(expected) < len(expected), design.reference


@pytest.mark.parametrize("family", FAMILIES)
def test_specifications_name_every_port(family):
    for seed in range(20):
        design = FAMILIES[family](np.random.default_rng(seed), 1 + seed % 3)
        assert (design.family, design.level) == (family, 1 + seed % 3)
        for port in design.interface.ports:
            if port.name != "clk":
                assert re.search(rf"\b{port.name}\b", design.words + (design.reset.words if design.reset else "")) or (
                    port.name in ("d1", "d2", "d3", "d4", "d5", "d6", "d7", "push", "pop")
                ), (port.name, design.words)


def test_generated_tasks():
    train, held_out = VerilogEnv(cycles=16).tasks, VerilogEnv(split="eval", cycles=16).tasks
    prompts = {train[i].prompt for i in range(100)}
    assert len(prompts) > 80
    assert not prompts & {held_out[i].prompt for i in range(100)}
    assert len({train[i].tags[0] for i in range(100)}) == len(FAMILIES) >= 12
    assert train[3] == train.get(train[3].id)
    only = VerilogEnv(families=["fifo"], levels=2).tasks[0]
    assert only.tags == ("fifo", "level-2")


@needs_tools
def test_completion_accepts_the_rest_and_the_whole():
    env = VerilogEnv(style="complete", families=["alu", "comparator"], levels=1)
    for index in range(3):
        task = env.tasks[index]
        solution = task.metadata["solution"]
        head = text_of(task.messages()[-1]).split("```verilog\n")[-1].removesuffix("```")
        assert head.startswith("module TopModule")
        body = solution[solution.index(");") + 2 :].replace("assign ", "always @* ")
        for code in (solution, body):
            env.reset(options={"task": task})
            _, reward, *_, info = env.step(answer(code))
            assert reward == 1.0, info["verdict"]


@needs_tools
def test_tools_answer_between_turns():
    env = VerilogEnv(families=["counter"], levels=2, max_turns=5)
    task = env.tasks[0]
    env.reset(options={"task": task})
    say = lambda code: text_of(env.step(answer(code))[0][0])  # noqa: E731
    solution = task.metadata["solution"]
    assert "no complete" in text_of(env.step("Well...")[0][0])
    assert "refused" in say(solution.replace("endmodule", "endmodul"))
    said = say(solution.replace("q == 0", "q == 1").replace("q + 1", "q"))
    assert "samples of a test run are wrong" in said
    assert re.search(r"q is [01x]+, expected [01x]+", said)
    expected = set(task.target["stimulus"]["rows"].split())
    assert len(expected) > 3  # the stimulus that judges is another one: 256 cycles, not 48
    _, reward, terminated, _, info = env.step(answer(solution))
    assert (reward, terminated) == (1.0, True), info["verdict"]


@needs_tools
@pytest.mark.parametrize(
    ("reward", "best"), [("correct", 1.0), ("graded", 1.0), ("verireason", 2.1), ("chipseek", 2.0)]
)
def test_rewards(reward, best):
    env = VerilogEnv(reward=reward, families=["gray counter"], levels=1)
    env.reset(options={"task": 0})
    _, paid, *_ = env.step(env.demonstration(env.tasks[0])[0])
    assert paid == pytest.approx(best)


@needs_tools
def test_a_slip_is_one_fault_and_is_mended_in_the_next_turn():
    env = VerilogEnv(families=["shift register"], levels=1, max_turns=2)
    rng = np.random.default_rng(0)
    turns = env.demonstrate(env.tasks[0], "slip", rng)
    assert len(turns) == 2
    assert turns[1] == env.demonstration(env.tasks[0])[0] != turns[0]


TESTBENCH = """module tb; reg clk = 0; always #5 clk = ~clk; reg reset = 1, en = 0; wire [3:0] q; integer error = 0;
  {top} uut(.clk(clk), .reset(reset), .en(en), .q(q));
  initial begin repeat (2) @(negedge clk); reset = 0; repeat (30) begin @(negedge clk) en = $random; end
    if (error == 0) $display("===========Your Design Passed==========="); $finish; end
endmodule
"""


@needs_tools
@pytest.mark.parametrize("verified", ["counter", "verified_counter"])
def test_the_layout_of_rtllm(tmp_path, verified):
    folder = tmp_path / "Control" / "counter"
    folder.mkdir(parents=True)
    (folder / "design_description.txt").write_text("Please act as a designer. Module name: counter.")
    (folder / "testbench.v").write_text(TESTBENCH.format(top="counter"))
    (folder / "verified_counter.v").write_text(COUNTER.replace("RefModule", verified))
    env = VerilogEnv(data=tmp_path)
    assert env.tasks[0].id == "Control/counter"
    wrong = RIGHT.replace("en)", "1)").replace("TopModule", "counter")
    for code, paid in ((env.tasks[0].metadata["solution"], 1.0), (wrong, 0.0)):
        env.reset(options={"task": 0})
        _, reward, *_, info = env.step(answer(code))
        assert reward == paid, info["verdict"]


def test_layouts_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match="neither"):
        VerilogEnv(data=tmp_path)
    (tmp_path / "Prob001_x_prompt.txt").write_text("x")
    with pytest.raises(DataError, match=r"Prob001_x_ref.sv.*cannot be read"):
        VerilogEnv(data=tmp_path)
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"prompt": "p", "top": "T"}\n')
    with pytest.raises(DataError, match=r"rows.jsonl:1: .*neither a reference"):
        VerilogEnv(data=rows)


def test_options_that_make_no_sense():
    for options in ({"levels": 4}, {"style": "x"}, {"split": "all"}, {"cycles": 1}, {"reward": "x"}, {"ppa": -1}):
        with pytest.raises(ConfigError):
            make("assay/Verilog-v0", **options)
    with pytest.raises(UnknownNameError, match="fifo"):
        DesignGenerator(families=("fif",))


DATA = Path(os.environ.get("ASSAY_DATA", "")) / "verilog-eval" / "dataset_spec-to-rtl"
needs_data = pytest.mark.skipif("ASSAY_DATA" not in os.environ, reason="ASSAY_DATA names no folder with benchmark rows")


def play(env: VerilogEnv, index: int, code: str) -> Verdict:
    env.reset(options={"task": index})
    return env.step(answer(code))[-1]["verdict"]


@needs_tools
@needs_data
def test_verilog_eval_is_read_as_published():
    env = VerilogEnv(data=DATA)
    assert env.tasks.size >= 78
    assert env.tasks[0].id == "Prob001_zero"
    assert "implement a module named TopModule" in text_of(env.tasks[0].messages()[-1])
    for index in range(0, 40, 8):
        assert play(env, index, env.tasks[index].metadata["solution"]).score == 1.0
        if index:
            assert (
                play(
                    env, index, env.tasks[index].metadata["solution"].replace("endmodule", "initial $finish; endmodule")
                ).score
                == 0.0
            )


@pytest.mark.slow
@needs_tools
@needs_data
def test_verilog_eval_accepts_its_references():
    """Of the references that Icarus 11 can simulate, all."""
    env = VerilogEnv(data=DATA)
    every_third = range(1, env.tasks.size, 3)  # benchmarks/verilog.py plays them all
    verdicts = {env.tasks[i].id: play(env, i, env.tasks[i].metadata["solution"]) for i in every_third}
    refused = {name for name, verdict in verdicts.items() if not verdict.correct}
    assert refused <= {"Prob082_lfsr32", "Prob151_review2015_fsm", "Prob156_review2015_fancytimer"}
    assert all(verdicts[name].score is None for name in refused)
