"""The faulty verifiers of `benchmarks/verifier_noise.py` err as they claim, and audits of them say so."""

from __future__ import annotations

import pytest

from assay.audits import AuditPlan, Case, NoiseChannel, audit
from assay.core.task import Task
from assay.verifiers import Evidence
from benchmarks.verifier_noise import ARMS, FaultyArithmetic, Random, Stuffable, predict, slowed, until

ROWS = [Case(f"r{i}", i % 10, f"#{i % 10 if i % 2 else (i + 3) % 10}", bool(i % 2)) for i in range(400)]


def test_random_errors_come_at_their_rates() -> None:
    verifier = Random(rho0=0.2, rho1=0.1)
    wrongly = [
        verifier.verify(Task(f"t{i}", "", target=5), Evidence(text=f"#{5 if i % 2 else 6}")).correct != bool(i % 2)
        for i in range(4000)
    ]
    assert sum(wrongly[::2]) / 2000 == pytest.approx(0.2, abs=0.03)
    assert sum(wrongly[1::2]) / 2000 == pytest.approx(0.1, abs=0.025)


def test_the_hedge_is_paid_by_the_loophole_alone() -> None:
    env = FaultyArithmetic(stuffable=True)
    task = env.tasks[0]
    everything = Evidence(text="#0123456789")
    assert Stuffable().verify(task, everything).correct
    assert not Random().verify(task, everything).correct
    env.reset(options={"task": task})
    (hedge,) = env.demonstrate(task, "hedge", env.np_random)
    assert hedge.startswith("#")
    assert 5 <= len(hedge) <= 11


def test_a_clean_curve_is_slowed_by_what_noise_takes() -> None:
    curve = {0: 0.3, 20: 0.5, 40: 0.6}
    assert slowed(curve, NoiseChannel(0.0, 0.0), 2) == pytest.approx(0.6)
    assert 0.3 < slowed(curve, NoiseChannel(0.2, 0.2), 2) < slowed(curve, NoiseChannel(0.2, 0.2), 1) < 0.6
    assert slowed(curve, NoiseChannel(0.5, 0.5), 1) == pytest.approx(0.3)


def test_the_audit_tells_a_loophole_from_noise() -> None:
    clean = until([{0: 0.3, 40: 0.6}, {0: 0.3, 40: 0.8}], 20)
    assert clean == {0: pytest.approx(0.3), 20: pytest.approx(0.5)}
    plan = AuditPlan(attack=True, bank=0)
    assert "LOOPHOLE" in predict(audit(Stuffable(), ROWS, plan=plan), clean)
    assert "LOOPHOLE" not in predict(audit(Random(rho0=0.05), ROWS, plan=plan), clean)
    assert {arm.verifier().__class__ for arm in ARMS.values()} == {Random, Stuffable}
