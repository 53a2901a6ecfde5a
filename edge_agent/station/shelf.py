"""Master data as this station holds it: the newest version of everything the feeds published.

Filled from events of the hub's `master` and `orders` feeds only. A version that this program
cannot read is counted and shown by `doctor`; it never stops the station. No ledger, no journal.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from edge_agent.scan.types import Vocabulary
from tally.codes import Scheme
from tally.events.types import Body, LotReceived, MasterPublished, OrderReleased
from tally.master import (
    Bom,
    Entity,
    Order,
    Person,
    Plan,
    Product,
    Routing,
    Station,
    Template,
    from_content,
    id_of,
    version_of,
)
from tally.master.entities import Operation

T = TypeVar("T", bound=Entity)


@dataclass(frozen=True, slots=True)
class Shelved:
    """One version of one entity: its content hash, and the event that published it."""

    entity: Entity
    sha256: str
    ref: str


class MasterShelf:
    """Entities by kind, id and version; `version` counts the changes.

    Attributes:
        unreadable: versions that this program could not read, in words.
    """

    def __init__(self) -> None:
        self._versions: dict[tuple[type[object], str], dict[int, Shelved]] = {}
        self._lots: dict[str, set[str]] = {}
        self.unreadable: list[str] = []
        self._vocabulary: Vocabulary | None = None
        self._newest: dict[type[object], list[Entity]] = {}

    def take(self, body: Body, ref: str) -> bool:
        """Take what this event publishes; whether it published anything.

        Args:
            body: of an event of the hub's `master` or `orders` feed.
            ref: the reference by which other events cite it.
        """
        match body:
            case MasterPublished():
                self._read(body.entity, body.content, body.sha256, ref)
            case OrderReleased():
                self._read("order", body.content, body.sha256, ref)
            case LotReceived():
                self._lots.setdefault(body.lot, set()).add(body.part)
            case _:
                return False
        self._vocabulary = None
        self._newest.clear()
        return True

    def _read(self, kind: str, content: dict[str, Any], sha256: str, ref: str) -> None:
        found = from_content(kind, content, file=ref)
        if isinstance(found, tuple):
            self.unreadable += [str(problem) for problem in found]
            return
        key = (type(found), id_of(found))
        self._versions.setdefault(key, {})[version_of(found)] = Shelved(found, sha256, ref)

    def newest(self, kind: type[T], name: str) -> Shelved | None:
        """The newest version of an id, or exactly the version of `id@version`."""
        base, at, version = name.partition("@")
        key: tuple[type[object], str] = (kind, base)
        versions = self._versions.get(key, {})
        if at:
            return versions.get(int(version)) if version.isdecimal() else None
        return versions[max(versions)] if versions else None

    def all(self, kind: type[T]) -> Iterator[T]:
        """The newest version of every entity of a kind, by id."""
        if kind not in self._newest:
            self._newest[kind] = [
                versions[max(versions)].entity
                for (found, _), versions in sorted(self._versions.items(), key=lambda i: i[0][1])
                if found is kind
            ]
        return iter(self._newest[kind])  # type: ignore[arg-type]  # the key holds the type

    def person(self, badge: str) -> Person | None:
        """Somebody with this badge."""
        found = self.newest(Person, badge)
        return found.entity if found and isinstance(found.entity, Person) else None

    def product(self, part: str) -> Product | None:
        """A part by number, with or without revision."""
        found = self.newest(Product, part)
        return found.entity if found and isinstance(found.entity, Product) else None

    def station(self, name: str) -> Station | None:
        """A station of the plant."""
        found = self.newest(Station, name)
        return found.entity if found and isinstance(found.entity, Station) else None

    def bom(self, product: str) -> Bom | None:
        """The components of a revision of a product."""
        found = self.newest(Bom, product)
        return found.entity if found and isinstance(found.entity, Bom) else None

    def order(self, name: str) -> tuple[Order, str] | None:
        """A work order and the reference of its release."""
        found = self.newest(Order, name)
        return (found.entity, found.ref) if found and isinstance(found.entity, Order) else None

    def plan(self, name: str) -> Shelved | None:
        """A plan by id, or the newest of a name."""
        return self.newest(Plan, name)

    def scheme(self, scheme_id: str) -> Scheme | None:
        """A numbering scheme by id and version."""
        found = self.newest(Scheme, scheme_id)
        return found.entity if found and isinstance(found.entity, Scheme) else None

    def schemes(self) -> tuple[Scheme, ...]:
        """All versions of all schemes: a code keeps the version that made it."""
        return tuple(
            shelved.entity
            for (kind, _), versions in sorted(self._versions.items(), key=lambda item: item[0][1])
            if kind is Scheme
            for _, shelved in sorted(versions.items())
            if isinstance(shelved.entity, Scheme)
        )

    def template(self, name: str) -> Template | None:
        """A label template."""
        found = self.newest(Template, name)
        return found.entity if found and isinstance(found.entity, Template) else None

    def operations(self, operation: str) -> Iterator[Operation]:
        """The operation of this number in every routing that has it."""
        for routing in self.all(Routing):
            yield from (found for found in routing.operations if found.op == operation)

    def vocabulary(self) -> Vocabulary:
        """The names that a scan may mean."""
        if self._vocabulary is None:
            self._vocabulary = self._make_vocabulary()
        return self._vocabulary

    def _make_vocabulary(self) -> Vocabulary:
        plans = {
            name
            for (kind, base), versions in self._versions.items()
            if kind is Plan
            for name in (base, *(f"{base}@{version}" for version in versions))
        }
        products = {product.product: product.product for product in self.all(Product)}
        gtins = {p.gtin: p.product for p in self.all(Product) if p.gtin is not None}
        return Vocabulary(
            schemes=self.schemes(),
            badges=frozenset(person.badge for person in self.all(Person)),
            orders=frozenset(order.order for order in self.all(Order)),
            plans=frozenset(plans),
            lots={lot: tuple(sorted(parts)) for lot, parts in self._lots.items()},
            products={**products, **gtins},
        )
