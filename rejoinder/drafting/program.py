"""The programs of drafting: writing a reply, and editing one. Importing this file loads DSPy.

What belongs here: which prompt's program has which answer. What is shown and what is taken stands in written.py.
"""

from rejoinder.drafting.written import EditorialAnswer, ReplyAnswer
from rejoinder.prompts.loader import Prompt
from rejoinder.prompts.program import Program

# Room for the longest answer that the schema allows, at three characters per token or more.
MAX_TOKENS = 2_048


def reply_program(prompt: Prompt) -> Program[ReplyAnswer]:
    """Writes a reply from a post and its evidence."""
    return Program(prompt, ReplyAnswer, max_tokens=MAX_TOKENS)


def editorial_program(prompt: Prompt) -> Program[EditorialAnswer]:
    """Looks at a draft's facts, tone and length, and may tighten it."""
    return Program(prompt, EditorialAnswer, max_tokens=MAX_TOKENS)
