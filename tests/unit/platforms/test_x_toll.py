"""What a read of X asks the meter for, and what it gives back."""

from collections.abc import Sequence

import pytest

from resources.platforms.failures import SpendStopped
from resources.platforms.port import Action
from resources.platforms.x_toll import Toll

BODY = {"data": [{"id": "1"}, {"id": "2"}], "includes": {"tweets": [{"id": "1"}], "users": [{"id": "7"}]}}


class Purse:
    """A meter with room for so many people at once; open holds what calls were allowed and have not ended."""

    def __init__(self, people: int = 1000) -> None:
        self.people = people
        self.open: dict[Action, int] = {}
        self.counted: list[tuple[str, tuple[str, ...]]] = []

    def allow(self, action: Action, n_resources: int = 1) -> None:
        if action == "user_read" and n_resources > self.people:
            raise SpendStopped(None)
        self.open[action] = n_resources

    def count(self, action: Action, resource_ids: Sequence[str]) -> None:
        if resource_ids:
            self.counted.append((action, tuple(resource_ids)))
        else:
            self.open.pop(action, None)


def test_a_page_is_counted_and_leaves_nothing_held() -> None:
    purse = Purse()
    toll = Toll(purse)
    assert toll.page(100) == 100 and purse.open == {"post_read": 200, "user_read": 200}
    toll.note_page(BODY)
    assert purse.counted == [("post_read", ("1", "2")), ("user_read", ("7",))] and purse.open == {}


def test_an_empty_page_leaves_nothing_held() -> None:
    purse = Purse()
    Toll(purse).page(100)
    Toll(purse).note_page({"meta": {"result_count": 0}})
    assert (purse.counted, purse.open) == ([], {})


def test_a_smaller_page_where_there_is_less_room_and_nothing_held_for_one_that_cannot_be() -> None:
    purse = Purse(people=50)
    assert Toll(purse).page(100) == 10 and purse.open == {"post_read": 20, "user_read": 20}
    purse = Purse(people=5)
    with pytest.raises(SpendStopped):
        Toll(purse).page(100)
    assert purse.open == {}
