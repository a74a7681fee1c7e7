"""What is true. Public names are re-exported here; each verifier lives in a file of its own.

Composed verifiers (`Rubric`, `Cascade`, ...) and the worker pool are imported from their modules.
"""

from assay.verifiers.base import Evidence, Verifier, run_verifier, run_verifier_group, verify_text
from assay.verifiers.registry import VERIFIERS, VerifierSpec, build_verifier, make_verifier

_BUILT_IN = {
    "math": "answers.verifier:MathVerifier",
    "code": "code.verifier:CodeVerifier",
    "test_suite": "code.test_suite:TestSuiteVerifier",
    "vuln_repair": "code.vuln_repair:VulnRepairVerifier",
    "verilog": "verilog.verifier:VerilogVerifier",
    "verilog_verireason": "verilog.rewards:VeriReasonVerifier",
    "verilog_chipseek": "verilog.rewards:ChipSeekVerifier",
    "exact": "text.exact:ExactVerifier",
    "choice": "text.choice:ChoiceVerifier",
    "number": "text.number:NumberVerifier",
    "expression": "text.expression:ExpressionVerifier",
    "format": "text.format:FormatVerifier",
    "json_schema": "text.json_schema:JsonSchemaVerifier",
    "length": "text.length:LengthVerifier",
    "repetition": "text.repetition:RepetitionVerifier",
    "f1": "text.overlap:F1Verifier",
    "instructions": "text.instructions:InstructionsVerifier",
    "bleu": "text.translation:BleuVerifier",
    "chrf": "text.translation:ChrfVerifier",
    "point_in_box": "gui.grounding:PointInBoxVerifier",
    "iou": "gui.grounding:BoxVerifier",
    "gaussian_box": "gui.grounding:GaussianBoxVerifier",
    "gui_action": "gui.action:GuiActionVerifier",
    "detection": "gui.detection:DetectionVerifier",
    "ndcg": "retrieval.verifiers:NdcgVerifier",
    "citations": "retrieval.verifiers:CitationVerifier",
    "ranking": "retrieval.verifiers:RankingVerifier",
    "tool_calls": "tools.calls:ToolCallVerifier",
    "tool_calls_graded": "tools.calls:GradedToolCallVerifier",
    "judge_reference": "judges.reference:ReferenceJudge",
    "judge_rubric": "judges.rubric:RubricJudge",
    "judge_pairwise": "judges.pairwise:PairwiseJudge",
    "judge_principle": "judges.principle:PrincipleJudge",
    "judge_yes_no": "judges.yes_no:YesNoJudge",
    "sudoku": "puzzles.sudoku:SudokuVerifier",
    "assignment": "puzzles.assignment:AssignmentVerifier",
    "knights_knaves": "puzzles.knights_knaves:KnightsKnavesVerifier",
    "countdown": "puzzles.countdown:CountdownVerifier",
    "arithmetic_steps": "process.arithmetic_steps:ArithmeticStepsVerifier",
    "prm": "process.prm:PRMVerifier",
    "rubric": "rubric:Rubric",
    "cascade": "cascade:Cascade",
    "ensemble": "ensemble:Ensemble",
    "verifier_dominant": "dominant:VerifierDominant",
    "isolated": "isolated:IsolatedVerifier",
}

for _name, _path in _BUILT_IN.items():
    VERIFIERS.register(_name, f"assay.verifiers.{_path}")

__all__ = [
    "VERIFIERS",
    "Evidence",
    "Verifier",
    "VerifierSpec",
    "build_verifier",
    "make_verifier",
    "run_verifier",
    "run_verifier_group",
    "verify_text",
]
