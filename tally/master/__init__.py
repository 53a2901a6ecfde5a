"""Master data: products, BOMs, routings, plans, schemes, labels, orders, lots, people, places.

Pure: bytes and tables come in, frozen entities and problems in words go out; nothing is looked up
anywhere else. Read `reading`, then `plans`, `templates` and `entities`, then `documents`.
"""

from tally.master.content import (
    Entity,
    content_sha256,
    from_content,
    id_of,
    kind_of,
    ref_of,
    to_content,
    version_of,
)
from tally.master.documents import load_documents
from tally.master.entities import (
    Bom,
    BomLine,
    Line,
    Lot,
    Operation,
    Order,
    Person,
    Product,
    Routing,
    Site,
    Station,
)
from tally.master.plans import (
    Answer,
    BindSerial,
    CloseBox,
    Commission,
    CommissionPreprinted,
    Identify,
    LoadLot,
    Measure,
    OpenBox,
    Pack,
    PassFail,
    Plan,
    PreviousOp,
    ReadBack,
    Rules,
    Step,
)
from tally.master.reading import Problem, Words
from tally.master.templates import LabelItem, Template

__all__ = [
    "Answer",
    "BindSerial",
    "Bom",
    "BomLine",
    "CloseBox",
    "Commission",
    "CommissionPreprinted",
    "Entity",
    "Identify",
    "LabelItem",
    "Line",
    "LoadLot",
    "Lot",
    "Measure",
    "OpenBox",
    "Operation",
    "Order",
    "Pack",
    "PassFail",
    "Person",
    "Plan",
    "PreviousOp",
    "Problem",
    "Product",
    "ReadBack",
    "Routing",
    "Rules",
    "Site",
    "Station",
    "Step",
    "Template",
    "Words",
    "content_sha256",
    "from_content",
    "id_of",
    "kind_of",
    "load_documents",
    "ref_of",
    "to_content",
    "version_of",
]
