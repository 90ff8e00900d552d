"""python-openstackclient: 340 lines that people type, each of which ends as with the real services."""

from tests.fixtures import openstack_prompts


def test_each_line_ends_as_it_should(local_stack):
    """The lines of openstack_lines.txt succeed, or fail with the words that stand behind them."""
    typed = openstack_prompts.lines()
    wrong = openstack_prompts.wrong_ends(local_stack, typed)
    assert not wrong, "\n".join([f"{len(wrong)} of {len(typed)}:", *wrong])
