"""Questions to the corpus."""

from fastapi import APIRouter

from api.callers import MayAsk
from api.desk import AtDesk, Desk
from api.problems import documented
from api.routes.sources import READING
from api.schemas.searching import Answer, Ask
from resources.asking import Question, Reply
from resources.wiring import asking

router = APIRouter(tags=["ask"])


@router.post("/ask", responses={**READING, **documented("malformed", "too-slow", "too-large")})
async def ask(asked: Ask, desk: AtDesk, caller: MayAsk) -> Answer:
    """Answer a question, every statement cited to the second, or say that it is not in the corpus. Scope: `ask`.

    Answers are sentences of the sources themselves, word for word; `written` is what a model makes of them in its own
    words, where one is configured for the task `synthesis`.
    """
    return Answer.model_validate(await desk.workers.run(_reply, desk, asked.question()))


def _reply(desk: Desk, question: Question) -> Reply:
    return asking(desk.bench).ask(question)
