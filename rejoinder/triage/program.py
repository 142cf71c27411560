"""The program of triage: finding claims. Importing this file loads DSPy.

What belongs here: which prompt's program has which answer. What is shown and what is taken stands in model_claims.py.
"""

from rejoinder.prompts.loader import Prompt
from rejoinder.prompts.program import Program
from rejoinder.triage.model_claims import ClaimsAnswer

# Room for the longest answer that the schema allows, at three characters per token or more.
MAX_TOKENS = 2_560


def claims_program(prompt: Prompt) -> Program[ClaimsAnswer]:
    """Finds what in a post can be checked or answered."""
    return Program(prompt, ClaimsAnswer, max_tokens=MAX_TOKENS)
