"""How a keypair looks; the private half is in the answer to its making and nowhere else."""

from typing import Any

from mininova.api.request import ComputeRequest
from mininova.api.views.times import bare
from mininova.db.keypairs import Keypair

Json = dict[str, Any]


def show_keypair(request: ComputeRequest, keypair: Keypair) -> Json:
    """Show what a list has."""
    shown = {"name": keypair.name, "public_key": keypair.public_key, "fingerprint": keypair.fingerprint}
    return shown | {"type": keypair.type} if request.api_version >= (2, 2) else shown


def details_of(keypair: Keypair) -> Json:
    """Show what a list leaves out."""
    return {
        "id": keypair.id,
        "user_id": keypair.user_id,
        "created_at": bare(keypair.created_at),
        "updated_at": None,
        "deleted": False,
        "deleted_at": None,
    }
