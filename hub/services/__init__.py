"""What the hub can be asked to do, one module per thing; `hub.Hub` collects them.

May use `tally` and the store's port; never HTTP, never a concrete store. Read `answers`, then
`hub`.
"""

from hub.services.answers import Refused
from hub.services.hub import Hub
from hub.store.port import StoreFault

__all__ = ["Hub", "Refused", "StoreFault"]
