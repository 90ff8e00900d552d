"""The guided tours that need no real broker; the others are taken in tests/stack/test_stack_tls.py.

Each step waits for what it tells of, stops the map when it comes, and goes on when the learner does.
"""

import re

from playwright.sync_api import expect

from tests.browser.conftest import TOKEN
from tests.fixtures.chromium import take_tour


def test_a_boot(serve, new_page, recorded, keep_picture):
    """From the button to the last notification, and on to the diagram of the request."""
    served = serve(do={"servers": lambda served: served.happen(recorded.boot)})

    def meanwhile(step, card):
        expect(card.locator(".seen")).to_be_visible()
        if step == 5:
            keep_picture(page, "tour")

    page = new_page(f"{served.url}#token={TOKEN}")
    card = take_tour(page, "A boot, in ten steps", meanwhile)
    expect(card.locator(".seen")).to_contain_text("compute.instance.create.end")
    card.get_by_role("link", name="Its diagram").click()
    assert page.url.endswith(f"#/requests/{recorded.requests['boot']}")


def test_a_retry(serve, new_page, recorded):
    """The hosts that the scheduler prefers are told to fail; the server is built elsewhere, and they are let off."""
    do = {"hosts/<name>/behaviour": lambda served: None, "servers": lambda served: served.happen(recorded.retry)}
    served = serve(do=do)
    said = {}
    page = new_page(f"{served.url}#token={TOKEN}")
    take_tour(page, "A build that is tried again", lambda step, card: said.update({step: card.inner_text()}))
    hosts = [re.search(r"build_instance 1.0, from \S+ to (compute\S+)\.", said[step])[1] for step in (2, 5)]
    assert len({*hosts}) == 2
    rules = [(path, body["rule"] and body["rule"]["operation"]) for path, body in served.asked if "rule" in body]
    assert rules == [(f"hosts/host-{number}/behaviour", rule) for rule in ("spawn", None) for number in (1, 2)]


def test_a_compute_that_falls_silent(serve, new_page, recorded):
    """It stands still, is taken for down a minute later, and is up again with its next heartbeat."""

    def do_to_it(served):
        served.pass_time(61) if served.asked[-1][1]["action"] == "pause" else served.happen(recorded.before)

    do = {"services/<name>/action": do_to_it, "servers": lambda served: served.happen(recorded.boot)}
    served = serve(do=do)
    page = new_page(f"{served.url}#token={TOKEN}")
    card = take_tour(page, "A compute that falls silent")
    assert [path for path, body in served.asked if "action" in body] == ["services/compute.host-1/action"] * 2
    expect(card.locator(".seen")).to_have_text("Here it is: compute.host-1 is up.")
