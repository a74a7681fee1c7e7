"""Who acts. An `Agent` opens a `Conversation` for each episode; engines sample for those that are language models.

`ChatAgent` talks to an engine in tokens (training and evaluation), `ApiAgent` (`api_agent.py`) to an endpoint in
messages (evaluation), `ScriptedAgent` needs no model. Importing this package imports no torch.
"""

from assay.agents.base import Agent, Conversation
from assay.agents.chat import ChatAgent
from assay.agents.engines.base import Completion, Engine, SamplingParams
from assay.agents.scripted import ScriptedAgent

__all__ = ["Agent", "ChatAgent", "Completion", "Conversation", "Engine", "SamplingParams", "ScriptedAgent"]
