"""The programs of research: judging sentences against a claim, and answering questions. Importing this loads DSPy.

What belongs here: which prompt's program has which answer. What is shown and what is taken stands in model_verdicts.py
and model_answers.py.
"""

from rejoinder.prompts.loader import Prompt
from rejoinder.prompts.program import Program
from rejoinder.research.model_answers import SynthesisAnswer
from rejoinder.research.model_verdicts import VerdictAnswer

# Room for the longest answers that the schemas allow, at three characters per token or more.
VERDICT_TOKENS, SYNTHESIS_TOKENS = 2_048, 2_560


def verdict_program(prompt: Prompt) -> Program[VerdictAnswer]:
    """Says what sentences say of a claim."""
    return Program(prompt, VerdictAnswer, max_tokens=VERDICT_TOKENS)


def synthesis_program(prompt: Prompt) -> Program[SynthesisAnswer]:
    """Answers a question from evidence lines."""
    return Program(prompt, SynthesisAnswer, max_tokens=SYNTHESIS_TOKENS)
