"""Being somebody else."""

import pytest

from tests.fixtures import taken_over
from tests.fixtures.taken_over import NOBODY, own_object, request

LOGIN = "Login was refused"


@pytest.mark.attack(refused_by="broker", sees="406 PRECONDITION_FAILED")
@pytest.mark.parametrize(
    "user_id", ["conductor", "api", "scheduler", "manage", "compute.host-2", "Compute.host-1", "guest"]
)
def test_anothers_user_id(attacker, refused, mine, user_id):
    """Publishes in the name of another broker user."""
    with refused.by_broker("PRECONDITION_FAILED", f"'{user_id}'"):
        attacker.publish("conductor", request("get_instances", {"host": "host-2"}), user_id=user_id)


@pytest.mark.attack(refused_by="broker", sees="406 PRECONDITION_FAILED")
def test_an_empty_user_id(attacker, refused):
    """Publishes in the name of nobody, by an empty user id."""
    with refused.by_broker("PRECONDITION_FAILED"), attacker.channel() as channel:
        message = taken_over.amqp.Message(request("get_levels", {}), user_id="")
        channel.basic_publish(message, exchange=attacker.lane, routing_key="conductor")


@pytest.mark.attack(refused_by="conductor", sees="nothing: it has nobody to answer")
@pytest.mark.parametrize("method", ["get_instances", "get_levels", "update_instance"])
def test_no_user_id(attacker, refused, mine, method):
    """Leaves out who it is, for which the broker does not mind."""
    args = {
        "get_instances": {"host": attacker.host},
        "get_levels": {},
        "update_instance": {
            "instance": mine,
            "changes": own_object("InstanceChanges", progress=50),
            "operation": None,
        },
    }[method]
    with refused.listed(None, method):
        attacker.publish("conductor", request(method, args), user_id=NOBODY, reply_to=attacker.reply_queue)


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`")
@pytest.mark.parametrize(
    "claimed",
    [
        {"app_id": "conductor.ctl-1"},
        {"headers": {"x-mininova-origin": "conductor"}},
        {"headers": {"x-mininova-origin": "compute.host-2", "x-mininova-deliveries": 1}},
        {"type": "conductor", "correlation_id": "conductor", "cluster_id": "conductor"},
    ],
    ids=["app_id", "origin", "origin-of-a-retry", "other-properties"],
)
def test_a_name_in_another_place(attacker, refused, claimed):
    """Says in every other place of a message that it is another: properties, headers."""
    answer = attacker.ask("get_instances", {"host": "host-2"}, properties=claimed)
    refused.by_conductor(answer, "get_instances", "host-2")


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`")
def test_a_context_of_an_administrator(attacker, refused, theirs):
    """Says in the context that an administrator asks, or another project's member, or a service."""
    as_owner = {"_context_project_id": theirs["versioned_object.data"]["project_id"], "_context_is_admin": True}
    answer = attacker.ask("get_instance", {"uuid": theirs["versioned_object.data"]["uuid"]}, **as_owner)
    refused.by_conductor(answer, "get_instance", theirs["versioned_object.data"]["uuid"])


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`")
def test_what_only_the_api_may(attacker, refused, mine, spec):
    """Has the conductor build instances, which only the api may."""
    answer = attacker.cast("build_instances", {"instances": [mine], "request_spec": spec})
    refused.by_conductor(answer, "build_instances")


@pytest.mark.attack(refused_by="conductor", sees="nothing: it has nobody to answer")
def test_what_only_the_api_may_as_nobody(attacker, refused, mine, spec):
    """Has the conductor build instances, and does not say who it is."""
    cast = request("build_instances", {"instances": [mine], "request_spec": spec}, _msg_id=None)
    with refused.listed(None, "build_instances"):
        attacker.publish("conductor", cast, user_id=NOBODY, reply_to=attacker.reply_queue)


@pytest.mark.attack(refused_by="broker", sees="403 ACCESS_REFUSED")
@pytest.mark.parametrize(
    "user", ["conductor", "api", "scheduler", "manage", "flow", "compute.host-2", "guest", "mininova"]
)
def test_log_in_as_another(attacker, stack, logs, refused, user):
    """Logs in as another user, with its own password and with those that are often left as they were."""
    own = taken_over.unquote(taken_over.urlsplit(attacker.url).password)
    for password in (own, "guest", user, ""):
        with refused.by("rabbitmq", user), pytest.raises(taken_over.REFUSALS, match=LOGIN):
            taken_over.connect(attacker.url, userid=user, password=password)


@pytest.mark.attack(refused_by="broker", sees="530 NOT_ALLOWED")
def test_another_virtual_host(attacker, refused):
    """Goes to another virtual host of the broker."""
    with refused.by("rabbitmq", attacker.user), pytest.raises(taken_over.REFUSALS):
        taken_over.connect(attacker.url, virtual_host="other")
