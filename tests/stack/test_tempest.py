"""OpenStack's own tests of the Compute API, those that cover most in a minute; tools/tempest.sh runs all of them."""

import re
import subprocess

from stack.settings import CHECKOUT

#: Classes of tempest.api.compute that need no network service: what is done to servers, where they are moved to, what
#: is made of them, and what an operator keeps.
CLASSES = (
    "admin.test_aggregates.AggregatesAdminTestJSON", "admin.test_flavors_extra_specs.FlavorsExtraSpecsTestJSON",
    "admin.test_migrations.MigrationsAdminTest", "admin.test_services.ServicesAdminTestJSON",
    "images.test_image_metadata.ImagesMetadataTestJSON", "keypairs.test_keypairs.KeyPairsV2TestJSON",
    "servers.test_create_server.ServersTestJSON", "servers.test_server_actions.ServerActionsTestJSON",
    "servers.test_server_actions.ServerActionsTestOtherB",
)  # fmt: skip
AT_LEAST = 30  # are to pass


def test_tempest_finds_a_nova(local_stack):
    """None of them fails, and none is skipped for a reason that tools/run_tempest.py does not know."""
    regex = f"({'|'.join(re.escape(name) for name in CLASSES)})[.]"
    command = [CHECKOUT / "tools/tempest.sh", regex]
    done = subprocess.run(
        command, env=local_stack.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout + done.stderr
    (passed,) = re.findall(r"^(\d+) passed, 0 failed", done.stdout, re.MULTILINE)
    assert int(passed) >= AT_LEAST, done.stdout
