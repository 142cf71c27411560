"""Who may do what: four roles in rising order, and the lowest role that each action asks for."""

from typing import Literal, get_args

from rejoinder.errors import NotAllowed

Role = Literal["viewer", "editor", "approver", "admin"]
Action = Literal[
    "view",
    "edit_draft",
    "send_back",
    "retry",
    "ingest",
    "approve",
    "reject",
    "reopen",
    "cancel",
    "reschedule",
    "record_handoff",
    "settle_unknown",
    "resend",
    "block_author",
    "pause",
    "resume",
    "manage_people",
    "manage_channels",
    "manage_models",
    "manage_prompts",
]

ROLES: tuple[Role, ...] = get_args(Role)
ACTIONS: tuple[Action, ...] = get_args(Action)

# Whatever puts words out under the account's name, or says whether they went out, asks for an
# approver; whatever only costs machine time asks for an editor.
ROLE_NEEDED: dict[Action, Role] = {
    "view": "viewer",
    "edit_draft": "editor",
    "send_back": "editor",
    "retry": "editor",
    "ingest": "editor",
    "approve": "approver",
    "reject": "approver",
    "reopen": "approver",
    "cancel": "approver",
    "reschedule": "approver",
    "record_handoff": "approver",
    "settle_unknown": "approver",
    "resend": "approver",
    "block_author": "approver",
    "pause": "approver",
    "resume": "approver",
    "manage_people": "admin",
    "manage_channels": "admin",
    "manage_models": "admin",
    "manage_prompts": "admin",
}


def may(role: Role, action: Action) -> bool:
    """Whether the role allows the action; a higher role allows all that a lower one does.

    >>> may("editor", "approve"), may("admin", "approve")
    (False, True)
    """
    return ROLES.index(role) >= ROLES.index(ROLE_NEEDED[action])


def require(role: Role, action: Action) -> None:
    """Pass silently if the role allows the action.

    Raises:
        NotAllowed: it does not; the message names the role needed.

    >>> require("viewer", "reject")
    Traceback (most recent call last):
    rejoinder.errors.NotAllowed: reject needs the role approver; you are signed in as viewer
    """
    if not may(role, action):
        needed = ROLE_NEEDED[action]
        raise NotAllowed(f"{action.replace('_', ' ')} needs the role {needed}; you are signed in as {role}")
