"""URLs that are valid, URLs that are not, and passwords that must not be shown."""

import re

import pytest

from mininova.conf.values import DatabaseURL, HostList, Network, Period, TransportURL, redacted


@pytest.mark.parametrize(
    "url",
    [
        "amqp://u:p@127.0.0.1:5672/",
        "amqps://u:p%40@h/v",
        "amqp://[::1]:5672//",
        "rabbit://u:p@h1:5672,u:q@h2:5672/v",
        "kombu+amqp://u:p@h/v",
        "kombu+redis://:p@h:6379/0",
        "kombu+filesystem:///srv/messages",
    ],
)
def test_broker_urls(url: str):
    """A valid URL of a broker is kept as it is."""
    assert TransportURL()(url) == url


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("kombu://u:hush@h/", "write amqp:// instead"),
        ("rabbits://u:hush@h/", "write amqps:// instead"),
        ("redis://:hush@h/0", "write kombu+redis:// instead"),
        ("kombu+amqp://u:hush@h1,u:hush@h2/", "has several addresses"),
        ("tcp://u:hush@h/", "write it like amqp://"),
        ("amqp:/u:hush@h/", "is not a URL"),
        ("amqp://u:hush@h:port/", "port"),
        ("amqp://u:hush@h:99999/", "port"),
        ("amqp://u:hush@/", "names no host"),
        ("amqp://u:hush@h,/", "names no host"),
        ("amqp://u:hush@[::1/", "has a [ without a ]"),
        ("amqp://u:hush@h1,v:hush@h2/", "has several users"),
        ("amqp://u:hush@h1,h2/", "has several users"),
        ("amqp://u:hu?sh@h/", "has a ? or a #"),
        ("", "is not a URL"),
    ],
)
def test_bad_broker_urls(url: str, said: str):
    """An invalid URL of a broker is refused with a sentence, without the password."""
    with pytest.raises(ValueError, match=re.escape(said)) as refused:
        TransportURL()(url)
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:////srv/a.sqlite",
        "mysql+pymysql://u:p@h/mininova",
        "postgresql+psycopg://u:p@h:5432/mininova",
    ],
)
def test_database_urls(url: str):
    """A valid URL of a database is kept as it is."""
    assert DatabaseURL()(url) == url


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://u:hush@h/d", "write postgresql+psycopg:// instead"),
        ("mysql+pymysql://u:hush@h/", "no database"),
        ("mysql+pymysql://u:hush@h:x/d", "port"),
        ("/srv/a.sqlite", "is not a URL"),
        ("oracle://u:hush@h/d", "write it like sqlite://"),
    ],
)
def test_bad_database_urls(url: str, said: str):
    """An invalid URL of a database is refused with a sentence, without the password."""
    with pytest.raises(ValueError, match=re.escape(said)) as refused:
        DatabaseURL()(url)
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize("cidr", ["10.0.0.0/30", "10.0.0.1/16", "fd00::/64", "flat"])
def test_bad_networks(cidr: str):
    """A network must be IPv4, without a host part, and large enough."""
    with pytest.raises(ValueError, match="/"):
        Network()(cidr)


def test_periods():
    """A period is kept as it was written, and an invalid one is quoted."""
    assert Period()(" day@18 ") == "day@18"
    with pytest.raises(ValueError, match="'week' is no period"):
        Period()("week")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("amqp://user:hush@host:5672/", "amqp://user:***@host:5672/"),
        ("amqp://user:hu@sh@host/", "amqp://user:***@host/"),
        ("amqp://user:hu/sh@host/", "amqp://user:***@host/"),
        ("amqp://host:5672/", "amqp://host:5672/"),
        ("user:hush@host", "***@host"),
        ("mysql+pymysql://host/d?password=hush&ssl=1", "mysql+pymysql://host/d?password=***&ssl=1"),
        ("sqlite:////srv/a.sqlite", "sqlite:////srv/a.sqlite"),
    ],
)
def test_redacted(url: str, shown: str):
    """A password is hidden in any URL, also a malformed one; the rest of the URL is shown."""
    assert redacted(url) == shown


def test_hosts():
    """A list with ranges is the names in it, whether it is a file's or was read before."""
    kind = HostList()
    assert kind("edge, n[1-2]") == ("edge", "n1", "n2") == kind(("edge", "n1", "n2"))
    with pytest.raises(ValueError, match="is no range of hosts"):
        kind("n[1-")
