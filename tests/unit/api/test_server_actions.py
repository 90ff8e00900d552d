"""POST /servers/{id}/action."""

from typing import Any

import pytest

from mininova import errors, rpc


def act(api: Any, uuid: str, action: str, argument: Any = None, version: str = "2.1", user: str = "member"):
    return api("POST", f"/servers/{uuid}/action", {action: argument}, version=version, user=user)


@pytest.mark.parametrize(
    ("action", "argument", "vm_state", "sent"),
    [
        ("os-stop", None, "active", "stop_instance"),
        ("os-start", None, "stopped", "start_instance"),
        ("reboot", {"type": "soft"}, "active", "reboot_instance"),
        ("reboot", {"type": "HARD"}, "stopped", "reboot_instance"),
        ("pause", None, "active", "pause_instance"),
        ("unpause", None, "paused", "unpause_instance"),
        ("suspend", None, "active", "suspend_instance"),
        ("resume", None, "suspended", "resume_instance"),
        ("changePassword", {"adminPass": "new"}, "active", "set_admin_password"),
        ("unrescue", None, "rescued", "unrescue_instance"),
        ("restore", None, "soft-delete", "restore_instance"),
        ("forceDelete", None, "error", "delete_instance"),
    ],
)
def test_actions_are_accepted_and_sent(api: Any, action: str, argument: Any, vm_state: str, sent: str) -> None:
    """The answer is 202 with an empty body, and the instance's host gets the message."""
    uuid = api.active()
    api.change(uuid, vm_state=vm_state)
    answer = act(api, uuid, action, argument)
    assert (answer.status, answer.body) == (202, None)
    assert [method for _, method, _, _ in api.compute.sent] == [sent]


def test_an_action_that_the_state_forbids_is_409(api: Any) -> None:
    """The error has Nova's words."""
    uuid = api.active()
    answer = act(api, uuid, "os-start")
    assert (answer.status, list(answer.body)) == (409, ["conflictingRequest"])
    assert answer.message == f"Cannot 'start' instance {uuid} while it is in vm_state active"


def test_the_body_is_checked_first(api: Any) -> None:
    """A wrong argument is 400 even for a server that does not exist."""
    answer = act(api, "nope", "reboot", {"type": "x"})
    assert answer.message.startswith("Invalid input for field/attribute type. Value: x. ")
    assert act(api, "nope", "os-stop").status == 404


def test_a_reader_cannot_act(api: Any) -> None:
    """Only members may act."""
    uuid = api.active()
    assert act(api, uuid, "os-stop", user="reader").status == 403


@pytest.mark.parametrize(("length", "asked"), [(5, 5), ("7", 7), (None, None), (-1, None), (0, 0)])
def test_the_console_is_asked_for_lines(api: Any, length: Any, asked: int | None) -> None:
    """The length is a number of lines, and -1 is all of them."""
    uuid = api.active()
    assert act(api, uuid, "os-getConsoleOutput", {"length": length}).body == {"output": "login:"}
    assert api.compute.sent[0][3] == (asked,)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (rpc.MessagingTimeout("no answer"), "Compute service of host-1 is unavailable at this time."),
        (errors.GuestNotFound(instance_uuid="x", host="host-1"), "Instance {} is not ready"),
    ],
)
def test_a_console_that_cannot_be_had_is_409(api: Any, error: Exception, words: str) -> None:
    """If the host does not answer, or has no guest, the error says so in plain words."""
    uuid = api.active()
    api.compute.broken = error
    answer = act(api, uuid, "os-getConsoleOutput", {})
    assert (answer.status, answer.message) == (409, words.format(uuid))


def test_the_console_of_a_server_without_a_host_is_not_ready(api: Any) -> None:
    """No host can be asked yet."""
    uuid = api.boot()
    assert act(api, uuid, "os-getConsoleOutput", {}).message == f"Instance {uuid} is not ready"


def test_locking_says_why(api: Any) -> None:
    """The reason came with 2.73; locking and unlocking are in the list of actions."""
    uuid = api.active()
    assert act(api, uuid, "lock", {"locked_reason": "held"}, version="2.73").status == 202
    assert api("GET", f"/servers/{uuid}", version="2.73").body["server"]["locked_reason"] == "held"
    assert act(api, uuid, "os-stop").message == f"Instance {uuid} is locked"
    act(api, uuid, "unlock")
    shown = api("GET", f"/servers/{uuid}", version="2.73").body["server"]
    assert (shown["locked"], shown["locked_reason"]) == (False, None)
    listed = api("GET", f"/servers/{uuid}/os-instance-actions").body["instanceActions"]
    assert [action["action"] for action in listed] == ["unlock", "lock", "create"]


def test_an_administrators_lock_is_theirs_to_open(api: Any) -> None:
    """An owner cannot unlock what an administrator locked."""
    uuid = api.active()
    act(api, uuid, "lock", user="admin")
    assert "os-lock-server:unlock:unlock_override" in act(api, uuid, "unlock").message
    assert act(api, uuid, "unlock", user="admin").status == 202


def test_resetting_a_state_is_for_administrators(api: Any) -> None:
    """The administrator's state is written, without a check."""
    uuid = api.active()
    assert act(api, uuid, "os-resetState", {"state": "error"}).status == 403
    assert act(api, uuid, "os-resetState", {"state": "error"}, user="admin").status == 202
    assert api.instance(uuid).vm_state == "error"
