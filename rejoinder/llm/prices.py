"""What calls of models cost: from tokens to US dollars, and what a call may cost at most.

What belongs here: counting and multiplying. Budgets are a matter of tuning, what is spent of the database.
"""

from collections.abc import Callable

from rejoinder.llm.endpoints import Price
from rejoinder.llm.requests import LlmRequest, Usage

CountTokens = Callable[[str], int | None]

# Chat templates put roles and marks around each message (OpenAI 3 to 4 tokens, Llama 3 five), and some open with a
# system message of their own (Qwen 2.5: about 20). Both are above what the templates that we looked at need.
TOKENS_AROUND_A_MESSAGE = 8
TOKENS_AROUND_A_REQUEST = 64
LIKELY_BYTES_PER_TOKEN = 4


def cost_usd(usage: Usage, price: Price) -> float:
    """US dollars of the tokens read and written at this price.

    >>> cost_usd(Usage(1_000_000, 500_000), Price(2.0, 8.0))
    6.0
    """
    return (usage.tokens_in * price.in_usd_per_mtok + usage.tokens_out * price.out_usd_per_mtok) / 1e6


def most_tokens(text: str) -> int:
    """Tokens that a text has at most, where no tokenizer is at hand: its bytes in UTF-8.

    Byte-level vocabularies (GPT, Llama 3, Qwen) and SentencePiece with byte fallback (Llama 2, Gemma) never write a
    token for less than one byte; one more is for the blank that SentencePiece puts first. English has about four bytes
    a token, so this is up to four times too much, and never too little.

    >>> most_tokens("How so?"), most_tokens("né"), most_tokens("")
    (8, 4, 1)
    """
    return len(text.encode("utf-8", "surrogatepass")) + 1


def likely_tokens(text: str) -> int:
    """Tokens that a text probably has, where no tokenizer is at hand: four bytes each, as in English prose.

    >>> likely_tokens("How many tokens are these?")
    7
    """
    return -(-len(text.encode("utf-8", "surrogatepass")) // LIKELY_BYTES_PER_TOKEN)


def most_tokens_in(request: LlmRequest, count: CountTokens | None = None) -> int:
    """Tokens that a model reads for a request at most: its messages, its schema, and what a template adds.

    Args:
        request: what is asked.
        count: the model's own tokenizer; None, or an answer of None, where there is none at hand.
    """
    texts = [message.text for message in request.messages]
    if request.schema is not None:
        texts.append(request.schema.json)
    read = sum(_counted(text, count) for text in texts)
    return read + TOKENS_AROUND_A_MESSAGE * len(texts) + TOKENS_AROUND_A_REQUEST


def likely_tokens_in(request: LlmRequest) -> int:
    """Tokens that a model probably reads for a request, where no tokenizer is at hand."""
    texts = [message.text for message in request.messages]
    return sum(likely_tokens(text) for text in texts) + TOKENS_AROUND_A_MESSAGE * len(texts)


def _counted(text: str, count: CountTokens | None) -> int:
    counted = count(text) if count is not None else None
    return most_tokens(text) if counted is None else counted


def most_usd(request: LlmRequest, price: Price, count: CountTokens | None = None) -> float:
    """US dollars that a request may cost at most: all it reads, and an answer as long as it may be.

    >>> from rejoinder.llm.requests import Message, Sampling
    >>> asked = LlmRequest("reply", (Message("user", "Is that so?"),), sampling=Sampling(max_tokens=100))
    >>> most_usd(asked, Price(10.0, 10.0), lambda text: 4)
    0.00176
    """
    return cost_usd(Usage(most_tokens_in(request, count), request.sampling.max_tokens), price)
