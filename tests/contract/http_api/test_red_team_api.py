"""Red team, by the API: every route is asked, with a token for everything, to have words sent that nobody approved.

A route that is new has to be given its verdict here.
"""

EVIL = "Buy my heat pump."
FORGED = {
    "text": EVIL, "texts": [EVIL], "decision": "approved", "state": "queued", "reviewer_id": 1, "post_id": 1,
    "question": EVIL, "query": EVIL, "url": "https://collector.example/", "step": "publish", "stage": "publish",
}  # fmt: skip
TABLES = ("review", "review_part", "publication", "publication_part", "person", "channel", "pause")
# What each route is for; none of it is a decision about words.
VERDICTS = {
    "POST /ask": "searches", "GET /feeds": "reads", "PATCH /feeds/{id}": "follows a feed", "GET /health": "reads",
    "GET /ready": "reads", "POST /internal/sources/{id}/process": "works on sources",
    "POST /internal/search/semantic": "searches", "GET /internal/dead-letters": "reads",
    "GET /internal/quarantine": "reads", "POST /internal/retry": "works on posts again, up to a person's decision",
    "POST /sources": "takes a source", "POST /sources/from-url": "fetches a source", "GET /sources": "reads",
    "GET /sources/{id}": "reads", "GET /internal/sources/{id}/content": "reads", "GET /l/{code}": "leads on",
    "POST /internal/conversions": "counts what a link brought",
}  # fmt: skip


def test_every_route_has_a_verdict_and_none_gets_words_out(api, bench) -> None:
    document = api.get("/openapi.json").json()
    routes = {
        f"{method.upper()} {path}": (method.upper(), path)
        for path, methods in document["paths"].items()
        for method in methods
        if method != "parameters"
    }
    assert routes.keys() - VERDICTS.keys() == set(), "say here what the route is for"
    before = counted(bench)
    for method, path in routes.values():
        address = path.replace("{id}", "1").replace("{code}", "x").replace("{number}", "1")
        answer = api.client.request(method, address, json=None if method in ("GET", "HEAD") else FORGED)
        assert answer.status_code != 500, (method, path, answer.text)
    assert counted(bench) == before


def counted(bench) -> dict[str, int]:
    with bench.db.transaction() as tx:
        return {
            table: tx.connection.execute(f"select count(*) as n from {table}").fetchone()["n"]
            for table in TABLES
        }
