"""What the vault, the desk, the operator and subjects say to the keyholder, and its answers (SPEC.md section 8)."""

from strongroom.keyholder.protocol.answers import *  # noqa: F403
from strongroom.keyholder.protocol.messages import *  # noqa: F403
from strongroom.keyholder.protocol.requests import *  # noqa: F403
from strongroom.keyholder.protocol.together import *  # noqa: F403
