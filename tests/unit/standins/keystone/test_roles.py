from mininova.standins.keystone import roles


def test_admin_implies_all_below():
    """An administrator is a manager, a member and a reader as well."""
    assert roles.expand(["admin"]) == ("admin", "manager", "member", "reader")


def test_each_role_once():
    """Roles that several roles imply are listed once; a role that implies none stands alone."""
    assert roles.expand(["member", "reader", "service", "auditor"]) == ("member", "reader", "service", "auditor")
