"""The program of the corpus: writing summaries. Importing this file loads DSPy.

What belongs here: which prompt's program has which answer. What is shown and what is taken stands in
model_summaries.py.
"""

from rejoinder.corpus.model_summaries import SummaryAnswer
from rejoinder.prompts.loader import Prompt
from rejoinder.prompts.program import Program

# Room for the longest answer that the schema allows, at three characters per token or more.
MAX_TOKENS = 2_560


def summary_program(prompt: Prompt) -> Program[SummaryAnswer]:
    """Summarises passages in words of its own."""
    return Program(prompt, SummaryAnswer, max_tokens=MAX_TOKENS)
