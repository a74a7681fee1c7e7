"""Training a process reward model from rollouts that are labelled by their outcome alone.

`StepLabeller` rolls out from the end of every step and asks the environment's verifier (`labels.py`); `train_prm` fits
a labelling head on a trunk (`train.py`); what it writes is an ordinary directory in TRL's format, which
`assay.agents.reward_model` reads.
"""

from assay.trainers.prm.config import PRMConfig
from assay.trainers.prm.labels import LabelledSolution, StepLabeller, read_solutions, write_solutions
from assay.trainers.prm.train import train_prm

__all__ = ["LabelledSolution", "PRMConfig", "StepLabeller", "read_solutions", "train_prm", "write_solutions"]
