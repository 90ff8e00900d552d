"""The page of mininova-flow: every view, by mouse and by keys, in dark and light, wide and narrow."""

import re

import pytest
from msgspec.structs import replace
from playwright.sync_api import expect

from tests.browser.conftest import HOSTILE, TOKEN

#: The words of those of the second kind that stand where one of the first does.
OVERLAPPING = """([one, other]) => [...document.querySelectorAll(one)].flatMap(mine => {
  const box = mine.getBoundingClientRect();
  return [...document.querySelectorAll(other)].filter(theirs => {
    const it = theirs.getBoundingClientRect();
    return it.left < box.right && box.left < it.right && it.top < box.bottom && box.top < it.bottom;
  }).map(theirs => theirs.textContent);
})"""

# ---- the live map


def test_a_boot_is_watched(serve, new_page, recorded, keep_picture):
    """From the first message to ACTIVE: the services are there, messages move, and the instance appears on its host."""
    served = serve()
    page = new_page(served.url)
    for name in ("conductor", "compute.host-1", "compute.host-2"):
        expect(page.get_by_role("button", name=re.compile(f"^{re.escape(name)}.*: up"))).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^compute.host-3: disabled"))).to_be_visible()
    expect(page.locator("#connection")).to_have_text("live")
    served.happen(recorded.boot)
    expect(page.locator(".mover").first).to_be_attached()
    page.get_by_label("real time").check()
    expect(page.get_by_role("button", name="build_instance conductor")).to_be_visible()
    expect(page.locator(".host").get_by_role("button", name="web-1: active")).to_be_visible()
    expect(page.locator(".mover")).to_have_count(0)
    page.get_by_label("easy").check()  # marks carry their names then
    served.happen(recorded.retry)
    expect(page.locator(".log .bad").first).to_be_visible()
    keep_picture(page, "map")
    page.set_viewport_size({"width": 760, "height": 860})
    expect(page.locator(".map")).to_have_attribute("width", re.compile(r"^[67]\d\d"))
    assert page.evaluate(OVERLAPPING, [".broker .title", ".queue .frame"]) == []


def test_nothing_moves_while_it_is_paused(serve, new_page, recorded):
    """Paused, messages wait, are counted, and can be taken one by one."""
    served = serve()
    page = new_page(served.url)
    expect(page.locator("#connection")).to_have_text("live")
    page.get_by_role("button", name="Pause").click()
    served.happen(recorded.boot)
    expect(page.locator(".lag")).to_contain_text("waiting")
    expect(page.locator(".log li")).to_have_count(0)
    page.get_by_role("button", name="Next message").click()
    expect(page.locator(".log li")).to_have_count(1)
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("real time").check()
    expect(page.get_by_role("button", name="web-1: active")).to_be_visible()


def test_what_was_so_is_pale(serve, new_page, recorded):
    """A page that hears nothing of the cloud says so, and its map, on which all is up, is pale until it does again."""
    page = new_page(serve().url + "#/tours")
    page.route("**/api/live*", lambda route: route.fulfill(status=204))
    page.get_by_role("link", name="Live", exact=True).click()
    expect(page.locator("#connection")).to_have_text("reconnecting…")
    expect(page.locator(".stage")).to_have_css("opacity", "0.45")
    page.unroute("**/api/live*")
    page.reload()
    expect(page.locator("#connection")).to_have_text("live")
    expect(page.locator(".stage")).to_have_css("opacity", "1")


def test_a_click_filters(serve, new_page, recorded):
    """A service that is chosen leaves its messages, the address says so, and its cross ends it."""
    served = serve()
    page = new_page(served.url)
    page.get_by_label("real time").check()
    expect(page.locator("#connection")).to_have_text("live")
    served.happen(recorded.boot)
    expect(page.get_by_role("button", name="web-1: active")).to_be_visible()
    page.get_by_role("button", name=re.compile("^scheduler.*: up")).click()
    who = page.locator(".log .who")
    expect(who.first).to_contain_text("scheduler")
    assert all("scheduler" in text for text in who.all_text_contents())
    assert "only=scheduler" in page.url
    page.reload()
    expect(page.locator(".chip")).to_contain_text("only scheduler")
    page.get_by_role("button", name="Show everything again").click()
    expect(page.locator(".chip")).to_have_count(0)


def test_a_thousand_hosts(serve, new_page, recorded, keep_picture):
    """A thousand hosts fit in the window as cells, each of which says what it is, and Tab needs one step for all.

    Their process has no cell; its messages begin at one of its hosts.
    """
    served = serve()
    world = served.feed.world()
    hosts = [
        {**world["services"][0], "name": f"compute.host-{number}", "binary": "nova-compute", "host": f"host-{number}",
         "by": "compute.rack", "state": "down" if number % 97 == 0 else "disabled" if number % 61 == 0 else "up"}
        for number in range(1, 1001)
    ]  # fmt: skip
    states = ["active"] * 5 + ["stopped", "error"]
    instances = [
        {"uuid": f"{number:08}-0000-4000-8000-000000000000", "name": f"vm-{number}",
         "host": f"host-{number * 7 % 1000 + 1}", "vm_state": states[number % 7], "task_state": None, "since": 0}
        for number in range(2500)
    ]  # fmt: skip
    others = [one for one in world["services"] if not one["name"].startswith("compute.")]
    thousand = {**world, "services": others + hosts, "instances": instances}
    page = new_page(served.url + "#/tours", width=1440, height=1000)
    page.route("**/api/world", lambda route: route.fulfill(json=thousand))
    page.goto(served.url + "#/")
    expect(page.locator(".host.cell")).to_have_count(1000)
    expect(page.locator(".host.cell.down [aria-label^='compute.host-97: down']")).to_be_visible()
    assert page.locator(".host [tabindex='0']").count() == 1
    page.locator(".host [tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    assert "host-2" in (page.evaluate("document.activeElement.ariaLabel") or "")
    keep_picture(page, "thousand-hosts")
    sent = [event for event in recorded.boot if event.sender.startswith("compute.")]
    served.happen([replace(event, sender="compute.rack") for event in sent])
    expect(page.locator(".mover").first).to_be_attached()
    expect(page.locator(".host.cell")).to_have_count(1000)


# ---- requests


def test_a_request_is_found_and_opened_by_keys(serve, new_page, recorded):
    """Search, the diagram, a message and its source are reached without a mouse; Escape gives the focus back."""
    served = serve(live=False)
    page = new_page(served.url + "#/requests")
    expect(page.locator("tbody tr")).to_have_count(5)
    page.get_by_role("searchbox").focus()
    page.keyboard.type("web-1")
    expect(page.locator("tbody tr")).to_have_count(1)
    assert "search=web-1" in page.url
    page.get_by_role("link", name="POST /v2.1/servers").focus()
    page.keyboard.press("Enter")
    rows = page.locator(".row")
    expect(rows).to_have_count(22)
    rows.first.focus()
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    detail = page.get_by_role("complementary", name="The opened message")
    expect(detail.get_by_role("heading", level=2)).to_contain_text("build_instances")
    expect(detail.locator("pre")).to_contain_text("def build_instances")
    assert page.url.endswith("?message=2")
    page.keyboard.press("Escape")
    expect(detail).to_be_hidden()
    expect(rows.nth(2)).to_be_focused()


def test_a_link_opens_a_message(serve, new_page, recorded, keep_picture):
    """A link to a message opens it, with what it carries; what went wrong is red in the diagram."""
    served = serve(live=False)
    page = new_page(f"{served.url}#/requests/{recorded.requests['retry']}?message=19", height=1080)
    bad = page.locator(".row.bad")
    expect(bad.first).to_be_visible()
    assert any("reschedule_instance" in (row.get_attribute("aria-label") or "") for row in bad.all())
    expect(page.locator(".detail dl")).to_contain_text("compute.host")
    expect(page.locator(".scroll .block.active")).to_be_attached()
    page.locator(".row").nth(21).click()
    expect(page.locator(".detail pre")).to_contain_text("def build_instance")
    keep_picture(page, "request")  # not of the fault, whose traceback names the folders of this machine


def test_two_requests_beside_each_other(serve, new_page, recorded, keep_picture):
    """A boot beside one that was tried twice: what only one of them has is marked, though its times be long."""
    served = serve(live=False)
    ids = recorded.requests
    page = new_page(f"{served.url}#/requests/{ids['retry']}/beside/{ids['boot']}", width=1600)
    expect(page.locator(".request")).to_have_count(2)
    retry, boot = page.locator(".request").all()
    expect(retry.locator(".row.strange")).not_to_have_count(0)
    expect(boot.locator(".row.strange")).to_have_count(0)
    keep_picture(page, "beside")

    def late(route):
        told = route.fetch().json()
        later = [{**message, "ms": message["ms"] + 100_000} for message in told["messages"]]
        route.fulfill(json={**told, "messages": later})

    page.route("**/api/requests/*", late)
    page.reload()
    expect(retry.locator(".row.strange")).not_to_have_count(0)
    assert page.evaluate(OVERLAPPING, [".plus", ".row .figure"]) == []


def test_a_name_is_text(serve, new_page, recorded):
    """A server whose name is markup is shown by its name, in each view; nothing of it becomes an element."""
    served = serve(live=False)
    page = new_page(served.url + "#/requests")
    expect(page.get_by_role("link", name=HOSTILE)).to_be_visible()
    page.get_by_role("link", name=HOSTILE).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    page.goto(f"{served.url}#/?replay={recorded.requests['strange']}")
    page.get_by_label("real time").check()
    expect(page.get_by_role("button", name=f"{HOSTILE}: active")).to_be_visible()
    assert page.locator("img").count() == 0


def test_the_life_of_a_server(serve, new_page, recorded, keep_picture):
    """Its states are one below the other, from the request that made it to what it is now."""
    page = new_page(f"{serve(live=False).url}#/servers/{recorded.uuid}")
    states = page.locator(".timeline .state b")
    expect(states.last).to_have_text("active")
    assert "spawning" in states.all_text_contents()
    expect(page.locator(".timeline h2").get_by_role("link", name="POST /v2.1/servers")).to_be_visible()
    keep_picture(page, "life")


def test_what_is_not_there_is_said(serve, new_page):
    """A link to a view of something that is not there ends in a sentence, and a way on."""
    page = new_page(serve(live=False).url + "#/tours/none")
    expect(page.get_by_role("alert")).to_contain_text("There is no tour none.")
    page.get_by_role("link", name="All requests").click()
    expect(page.locator("tbody tr")).to_have_count(5)


# ---- a recording, play


def test_a_recording_is_watched_again(serve, new_page, recorded):
    """Without a cloud, a request that was kept moves over the map once more."""
    page = new_page(serve(live=False).url)
    expect(page.locator("#connection")).to_have_text("a recording")
    page.locator(".again a").last.click()
    page.get_by_label("real time").check()
    expect(page.get_by_role("button", name="web-1: active")).to_be_visible()


def test_a_server_is_booted_by_the_page(serve, new_page, recorded):
    """The play panel asks for a server with the token of the address, which forgets it; and has messages lost."""
    sent = next(event for event in recorded.boot if event.method == "build_instance")
    lost = replace(sent, kind="lost", payload={}, error="LostOnPurpose: number 3")
    does = {
        "servers": lambda served: served.happen(recorded.boot),
        "losses": lambda served: served.happen([sent, lost]),
    }
    served = serve(do=does)
    page = new_page(f"{served.url}#token={TOKEN}")
    expect(page.locator("#connection")).to_have_text("live")
    assert "token" not in page.url
    page.get_by_label("Name of the new server").fill("web-1")
    page.get_by_label("real time").check()
    page.get_by_role("button", name="Boot").click()
    expect(page.get_by_role("button", name="web-1: active")).to_be_visible()
    assert served.asked == [("servers", {"name": "web-1", "flavor": "m1.tiny", "image": "cirros", "count": 1})]
    page.get_by_role("button", name="web-1: active").click()
    expect(page.locator(".play").get_by_role("button", name="stop")).to_be_visible()
    page.get_by_label("Show everything again").click()
    page.get_by_label("Which one is lost").fill("3")
    page.get_by_label("Who sends the lost message").select_option("conductor")
    page.get_by_role("button", name="Lose it").click()
    page.locator(".log .line.wrong", has_text="LostOnPurpose: number 3").click()
    assert served.asked[1:] == [("losses", {"rule": {"method": "build_instance", "sender": "conductor", "nth": 3}})]
    page.goto(f"{served.url}#/requests/{sent.request_id}")
    page.get_by_role("button", name="cast build_instance 1.0").click()
    page.get_by_role("button", name="Lose the next build_instance of conductor").click()
    expect(page.get_by_text("The next one will be lost.")).to_be_visible()
    assert served.asked[2:] == [("losses", {"rule": {"method": "build_instance", "sender": "conductor"}})]


# ---- for everyone


@pytest.mark.parametrize(("scheme", "width"), [("light", 400), ("dark", 1360)])
def test_every_view_is_accessible(serve, new_page, recorded, assert_accessible, keep_picture, scheme, width):
    """axe-core finds nothing serious in any view, and a window of 400 pixels has room for it."""
    served = serve(live=False)
    ids = recorded.requests
    page = new_page(served.url + "#/tours", width=width, color_scheme=scheme, reduced_motion="reduce")
    views = {
        "": ".again a",
        f"?replay={ids['retry']}": ".log li:nth-child(20)",
        "requests": "tbody tr",
        f"requests/{ids['refused']}?message=2": ".detail .handler h3, .detail dl",
        f"servers/{recorded.uuid}": ".timeline",
        "tours": ".tours a",
        "tours/taken-over": ".tour .sentence",
    }
    for view, there in views.items():
        page.goto(f"{served.url}#/{view}")
        if "replay" in view:
            page.get_by_label("real time").check()
        expect(page.locator(there).first).to_be_visible()
        assert_accessible(page)
        if view.startswith("?replay"):
            keep_picture(page, "dark" if scheme == "dark" else "narrow")
