"""Pages link into players of the operator's own as the tuning says."""

from rejoinder.corpus.moments import own_forms
from review_app.escaped import link


def test_a_page_opens_a_player_of_ones_own_at_its_second():
    own = own_forms({"play.example": "{url}?start={seconds}s"})
    assert 'href="https://play.example/1?start=754s"' in link("listen", "https://play.example/1", 754.9, own)
    assert 'href="https://play.example/1#t=754"' in link("listen", "https://play.example/1", 754.9)
